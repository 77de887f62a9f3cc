#include "optimizer/passes/int8_parameters.h"

#include "optimizer/model/uses.h"
#include "optimizer/passes/int8_rules.h"

namespace lathe {
namespace {

math::AffineParams FromRange(const TensorRange& range) { return math::ChooseInt8Params(range.min, range.max); }

bool WasObserved(const Model& model, const Subgraph& subgraph, const Op& op, const Int8Rule& rule,
                 const RangeTable& ranges) {
  for (size_t operand : rule.data) {
    const TensorId id = op.inputs[operand];
    if (!model.IsConstant(subgraph.tensor(id)) && ranges.Find(id) == nullptr) return false;
  }
  return ranges.Find(op.outputs[0]) != nullptr;
}

void AssignParams(const Model& model, const Subgraph& subgraph, const Op& op, const Int8Rule& rule,
                  const RangeTable& ranges, Int8Plan& plan) {
  for (size_t operand : rule.data) {
    const TensorId id = op.inputs[operand];
    std::optional<math::AffineParams>& params = plan.params[id.index()];
    if (params) continue;  // an int8 operator before this one wrote it
    if (model.IsConstant(subgraph.tensor(id))) {
      const math::MinMax range = math::FindMinMax(model.FloatData(subgraph.tensor(id)));
      params = math::ChooseInt8Params(range.lo, range.hi);
    } else {
      params = FromRange(*ranges.Find(id));
    }
  }
  std::optional<math::AffineParams>& output = plan.params[op.outputs[0].index()];
  switch (rule.scale_class) {
    case ScaleClass::kFree:
    case ScaleClass::kSameAsOutput:
      output = FromRange(*ranges.Find(op.outputs[0]));
      break;
    case ScaleClass::kSameAsInput:
      output = plan.params[op.inputs[rule.data[0]].index()];
      break;
    case ScaleClass::kFixedOutput:
      output = rule.fixed_output;
      break;
  }
}

// The producer writes the scale of its only reader, if it is free to choose: then no requantization stands between.
void MergeIntoProducers(const Subgraph& subgraph, const UseMap& uses, Int8Plan& plan) {
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    const Int8Rule* rule = FindInt8Rule(op.kind);
    if (!plan.is_int8[i] || rule->scale_class != ScaleClass::kSameAsOutput) continue;
    for (size_t operand : rule->data) {
      const TensorId id = op.inputs[operand];
      const OpId producer = uses.producer(id);
      if (!producer.valid() || !plan.is_int8[producer.index()]) continue;
      if (uses.consumers(id).size() != 1 || uses.IsSubgraphOutput(id)) continue;
      if (FindInt8Rule(subgraph.ops[producer.index()].kind)->scale_class != ScaleClass::kFree) continue;
      plan.params[id.index()] = plan.params[op.outputs[0].index()];
    }
  }
}

}  // namespace

math::AffineParams Int8Plan::WantedBy(const Op& op, TensorId operand) const {
  const bool as_output = FindInt8Rule(op.kind)->scale_class == ScaleClass::kSameAsOutput;
  return *params[(as_output ? op.outputs[0] : operand).index()];
}

Int8Plan PlanInt8(const Model& model, const RangeTable& ranges, const QuantizeSettings& settings) {
  const Subgraph& subgraph = model.subgraphs[0];
  Int8Plan plan;
  plan.is_int8.resize(subgraph.ops.size());
  plan.params.resize(subgraph.tensors.size());
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    if (!WhyNotInt8(model, subgraph, op, settings).empty()) continue;
    const Int8Rule& rule = *FindInt8Rule(op.kind);
    if (!WasObserved(model, subgraph, op, rule, ranges)) {
      plan.warnings.push_back(
          absl::StrFormat("%s stays float: its activations were not observed", Where(SubgraphId(0), OpId(i), op)));
      continue;
    }
    plan.is_int8[i] = true;
    AssignParams(model, subgraph, op, rule, ranges, plan);
  }
  MergeIntoProducers(subgraph, UseMap(subgraph), plan);
  return plan;
}

}  // namespace lathe
