#include "optimizer/passes/integer_parameters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "optimizer/passes/integer_rules.h"
#include "optimizer/passes/multiplier_limits.h"
#include "optimizer/passes/static_weights.h"

namespace lathe {
namespace {

// Every raise makes one scale larger, and chains of them are short: more rounds than this mean that two operators
// raise each other's.
constexpr int kRoundsMax = 16;

// int16 activations are 256 times finer than the weights beside them, and a value beyond its range costs more than a
// coarser grid: 2 dB of what is 60 dB below the rounding of weights. face_landmark, output 2, on other samples than
// those that calibrated: 40.4 dB without it, 48.9 now.
constexpr float kInt16Headroom = 1.25f;

TensorRange WithHeadroom(TensorRange range) { return {range.min * kInt16Headroom, range.max * kInt16Headroom}; }

math::AffineParams ParamsFor(int bits, TensorRange range) {
  return bits == 16 ? math::ChooseInt16Params(range.min, range.max) : math::ChooseInt8Params(range.min, range.max);
}

class Planner {
 public:
  explicit Planner(const IntegerPlanInputs& inputs)
      : inputs_(inputs), graph_(inputs.model.subgraphs[0]), uses_(graph_) {}

  IntegerPlan Plan() {
    plan_.widths = ChooseWidths(inputs_.model, inputs_.table, inputs_.settings, &plan_.float_sums);
    DropUnobserved();
    // An operator that turns float changes groups, so everything is chosen again; each time one less is left.
    do {
      plan_.groups = ScaleGroups(inputs_.model, uses_, plan_.widths);
      ChooseParams();
    } while (!FitMultipliers());
    return std::move(plan_);
  }

 private:
  bool IsConstant(TensorId id) const { return inputs_.model.IsConstant(graph_.tensor(id)); }

  void StayFloat(size_t op, std::string reason) {
    plan_.widths[op] = 0;
    plan_.float_reasons.emplace(OpId(op), std::move(reason));
  }

  void DropUnobserved() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (plan_.widths[i] != 0 && !WasObserved(graph_.ops[i])) {
        StayFloat(i, "its activations were not observed while calibrating");
      }
    }
  }

  bool WasObserved(const Op& op) const {
    const IntegerRule& rule = *FindIntegerRule(op.kind);
    for (size_t operand : DataOperands(rule, op)) {
      const TensorId id = op.inputs[operand];
      if (!IsConstant(id) && inputs_.ranges.Find(id) == nullptr) return false;
    }
    if (rule.scale_class == ScaleClass::kNoOutput) return true;
    return std::all_of(op.outputs.begin(), op.outputs.end(),
                       [&](TensorId id) { return inputs_.ranges.Find(id) != nullptr; });
  }

  TensorRange RangeOf(TensorId id) const {
    if (!IsConstant(id)) return *inputs_.ranges.Find(id);
    const math::MinMax range = math::FindMinMax(inputs_.model.FloatData(graph_.tensor(id)));
    return {range.lo, range.hi};
  }

  void ChooseParams() {
    ranges_.clear();
    plan_.params.clear();
    plan_.constants.clear();
    for (const ScaleGroup& group : plan_.groups.groups()) {
      TensorRange range = RangeOf(group.measured[0]);
      for (TensorId member : group.measured) {
        const TensorRange its = RangeOf(member);
        range = {std::min(range.min, its.min), std::max(range.max, its.max)};
      }
      const bool observed = std::any_of(group.measured.begin(), group.measured.end(),
                                        [&](TensorId member) { return !IsConstant(member); });
      if (group.bits == 16 && observed) range = WithHeadroom(range);
      ranges_.push_back(range);
      plan_.params.push_back(group.fixed ? *group.fixed : ParamsFor(group.bits, range));
    }
  }

  // True when all operators fit; false when one was left in float.
  bool FitMultipliers() {
    for (int round = 0; round < kRoundsMax; ++round) {
      bool raised = false;
      for (size_t i = 0; i < graph_.ops.size(); ++i) {
        if (plan_.widths[i] == 0) continue;
        const std::vector<ScaleDemand> demands = DemandsOf(i);
        if (demands.empty()) continue;
        if (round + 1 == kRoundsMax || !MeetOne(i, demands)) {
          StayFloat(i, "its scales lie too far apart for the multipliers of the integer kernels");
          return false;
        }
        raised = true;
      }
      if (!raised) break;
    }
    return true;
  }

  std::vector<ScaleDemand> DemandsOf(size_t i) {
    const Op& op = graph_.ops[i];
    const IntegerRule& rule = *FindIntegerRule(op.kind);
    if (rule.scale_class != ScaleClass::kFree) return {};
    const float weight_scale_max = rule.has_weights ? WeightScaleMax(i, op) : 0.0f;
    const auto scale = [&](size_t operand) -> double { return plan_.WantedBy(OpId(i), op, operand).scale; };
    return FindScaleDemands(op.kind, plan_.widths[i], scale, plan_.Find(op.outputs[0], plan_.widths[i])->scale,
                            weight_scale_max, rule.data[0]);
  }

  // Looking for the largest weight reads all of them, so it is done once.
  float WeightScaleMax(size_t i, const Op& op) {
    const auto [place, first] = weight_scales_.try_emplace(OpId(i), 0.0f);
    if (first) {
      const QuantizeSettings& own = *FullIntegerSettings(inputs_.table, inputs_.settings, op);
      place->second = LargestWeightScale(inputs_.model, OpId(i), op, plan_.widths[i], own, inputs_.weights);
    }
    return place->second;
  }

  bool MeetOne(size_t i, const std::vector<ScaleDemand>& demands) {
    const Op& op = graph_.ops[i];
    for (const ScaleDemand& demand : demands) {
      const bool of_result = demand.side == ScaleDemand::Side::kResult;
      const TensorId id = of_result ? op.outputs[0] : op.inputs[demand.operand];
      if (!of_result && IsConstant(id)) {
        const TensorRange range = Widened(RangeOf(id), plan_.widths[i], demand.scale_min);
        plan_.constants[{OpId(i), demand.operand}] = ParamsFor(plan_.widths[i], range);
        return true;
      }
      const auto group = static_cast<size_t>(plan_.groups.Find(id, plan_.widths[i]));
      if (plan_.groups.groups()[group].fixed || (!of_result && !MayCoarsen(OpId(i), group, demand.scale_min))) {
        continue;
      }
      RaiseScale(group, demand.scale_min);
      return true;
    }
    return false;
  }

  // True when no reader of the group's one tensor loses by a scale of `least`: there is none but the operator that
  // asks, or the others add to it or take from it what is as coarse (a mean that is next to zero, in layer
  // normalisation).
  bool MayCoarsen(OpId asking, size_t group, double least) const {
    const ScaleGroup& its = plan_.groups.groups()[group];
    const TensorId id = its.tensors[0];
    if (its.tensors.size() != 1 || uses_.IsSubgraphOutput(id)) return false;
    const auto& readers = uses_.consumers(id);
    return std::all_of(readers.begin(), readers.end(),
                       [&](OpId reader) { return reader == asking || IsBesideCoarser(reader, id, least); });
  }

  bool IsBesideCoarser(OpId reader, TensorId id, double least) const {
    const Op& op = graph_.ops[reader.index()];
    const bool sums = op.kind == OpKind::kAdd || op.kind == OpKind::kSub || op.kind == OpKind::kSquaredDifference;
    const int width = plan_.widths[reader.index()];
    if (!sums || width == 0 || op.inputs[0] == op.inputs[1]) return false;
    return plan_.WantedBy(reader, op, op.inputs[0] == id ? 1 : 0).scale >= least;
  }

  void RaiseScale(size_t group, double least) {
    const int bits = plan_.groups.groups()[group].bits;
    ranges_[group] = Widened(ranges_[group], bits, least);
    plan_.params[group] = ParamsFor(bits, ranges_[group]);
  }

  // The range with at least this scale, stretched about 0 so that the zero point keeps its place.
  static TensorRange Widened(TensorRange range, int bits, double least) {
    const auto span = static_cast<float>(least * (bits == 16 ? 32767 : 255) * 1.0001);
    const float width = std::max(range.max, 0.0f) - std::min(range.min, 0.0f);
    if (bits == 16 || width <= 0) return {std::min(range.min, 0.0f), std::max(range.max, span)};
    const float factor = std::max(span / width, 1.0f);
    return {range.min * factor, range.max * factor};
  }

  const IntegerPlanInputs& inputs_;
  const Subgraph& graph_;
  const UseMap uses_;
  IntegerPlan plan_;
  std::vector<TensorRange> ranges_;  // by group
  std::map<OpId, float> weight_scales_;
};

}  // namespace

std::optional<math::AffineParams> IntegerPlan::Find(TensorId tensor, int bits) const {
  const int group = groups.Find(tensor, bits);
  if (group < 0) return std::nullopt;
  return params[static_cast<size_t>(group)];
}

math::AffineParams IntegerPlan::WantedBy(OpId op, const Op& operation, size_t operand) const {
  if (const auto found = constants.find({op, operand}); found != constants.end()) return found->second;
  const bool as_result = FindIntegerRule(operation.kind)->scale_class == ScaleClass::kSameAsOutput;
  return *Find(as_result ? operation.outputs[0] : operation.inputs[operand], widths[op.index()]);
}

bool IntegerPlan::ChangesNothing() const {
  return std::all_of(widths.begin(), widths.end(), [](int width) { return width == 0; });
}

IntegerPlan PlanIntegers(const IntegerPlanInputs& inputs) { return Planner(inputs).Plan(); }

}  // namespace lathe
