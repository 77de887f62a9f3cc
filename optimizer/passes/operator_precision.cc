#include "optimizer/passes/operator_precision.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/integer_rules.h"
#include "optimizer/passes/weight_plan.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// The type in which a constant operand is stored: its own, or that of the constant behind its DEQUANTIZE.
struct Storage {
  TensorType type;
  bool behind_dequantize;
};
std::optional<Storage> StorageOf(const Model& model, const Subgraph& subgraph, const UseMap& uses, TensorId id) {
  if (!id.valid()) return std::nullopt;
  if (model.IsConstant(subgraph.tensor(id))) return Storage{subgraph.tensor(id).type, false};
  const OpId producer = uses.producer(id);
  if (!producer.valid() || subgraph.ops[producer.index()].kind != OpKind::kDequantize) return std::nullopt;
  const Tensor& from = subgraph.tensor(subgraph.ops[producer.index()].inputs[0]);
  if (!model.IsConstant(from)) return std::nullopt;
  return Storage{from.type, true};
}

// "int8", "int4 x int8" (weights by activations), "int16x8", "int16x4"; "int16" where there are no weights. Nullopt:
// not on integer activations.
std::optional<std::string> IntegerPrecision(const Subgraph& subgraph, const Op& op) {
  const IntegerRule* rule = FindIntegerRule(op.kind);
  if (rule == nullptr || op.kind == OpKind::kEmbeddingLookup) return std::nullopt;
  const TensorId data = op.input(DataOperands(*rule, op).empty() ? 0 : DataOperands(*rule, op)[0]);
  if (!data.valid()) return std::nullopt;
  const Tensor& activation = subgraph.tensor(data);
  if (!activation.quantization.IsQuantized()) return std::nullopt;
  if (activation.type != TensorType::kInt8 && activation.type != TensorType::kInt16) return std::nullopt;
  const bool wide = activation.type == TensorType::kInt16;
  if (!rule->has_weights) return TensorTypeLabel(activation.type);
  const TensorId weights = op.input(GetWeightOperands(op.kind)->weights);
  const bool narrow = weights.valid() && subgraph.tensor(weights).type == TensorType::kInt4;
  if (wide) return narrow ? "int16x4" : "int16x8";
  return narrow ? "int4 x int8" : "int8";
}

std::string PrecisionOf(const Model& model, const Subgraph& subgraph, const UseMap& uses, const Op& op) {
  if (op.outputs.empty()) return "none";
  const TensorType type = subgraph.tensor(op.outputs[0]).type;
  if (op.kind == OpKind::kDequantize && op.input(0).valid()) {
    return TensorTypeLabel(subgraph.tensor(op.inputs[0]).type);
  }
  if (const auto integer = IntegerPrecision(subgraph, op)) return *integer;
  if (type != TensorType::kFloat32) return TensorTypeLabel(type);
  for (TensorId input : op.inputs) {
    const std::optional<Storage> storage = StorageOf(model, subgraph, uses, input);
    if (!storage) continue;
    if (storage->type == TensorType::kFloat16) return "float16";
    const bool integer =
        storage->type == TensorType::kInt8 || storage->type == TensorType::kInt4 || storage->type == TensorType::kInt2;
    if (integer && subgraph.tensor(input).type != TensorType::kInt32) {
      return absl::StrFormat("%s %s", storage->behind_dequantize ? "weight-only" : "dynamic-range",
                             TensorTypeLabel(storage->type));
    }
  }
  return "float32";
}

bool IsConversion(const Op& op) {
  return op.kind == OpKind::kQuantize || op.kind == OpKind::kDequantize || op.kind == OpKind::kDensify;
}

// A constant of float32 that is more than a scalar or a row of numbers.
bool HasFloatTable(const Model& model, const Subgraph& subgraph, const Op& op) {
  return std::any_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
    return id.valid() && IsDenseFloatConstant(model, subgraph.tensor(id)) && subgraph.tensor(id).shape.size() > 1 &&
           subgraph.tensor(id).NumElements() >= 1024;
  });
}

std::string ReasonFor(const Model& model, size_t subgraph, const Op& op, const std::string& precision,
                      const QuantizeSettings& settings) {
  if (IsConversion(op)) return "";
  const Scheme scheme = settings.scheme.value_or(Scheme::kNone);
  const bool integer_weights = scheme == Scheme::kDynamicRange || scheme == Scheme::kWeightOnly;
  if (integer_weights &&
      (absl::StrContains(precision, "weight-only") || absl::StrContains(precision, "dynamic-range"))) {
    return WhyOtherForm(model.subgraphs[subgraph], op, settings);
  }
  if (scheme == Scheme::kFullInteger && absl::StrContains(precision, "dynamic-range")) {
    return "it has no full-integer form here: int8 weights, float32 activations";
  }
  if (precision != "float32") return "";
  const bool has_weights = GetWeightOperands(op.kind).has_value();
  switch (scheme) {
    case Scheme::kNone:
      return "";
    case Scheme::kFloat16:
      return has_weights ? "its weights are few, or too few to save bytes" : "";
    case Scheme::kDynamicRange:
    case Scheme::kWeightOnly: {
      // Float is what these schemes ask for where nothing is stored.
      if (!has_weights && !HasFloatTable(model, model.subgraphs[subgraph], op)) return "";
      return PlanWeights(model, model.subgraphs[subgraph], op, settings).reason;
    }
    case Scheme::kFullInteger: {
      if (subgraph != 0) return "only the main subgraph is quantized to full integer";
      const std::string why = WhyNotInteger(model, model.subgraphs[0], op, settings);
      return why.empty() ? "its activations were not observed while calibrating" : why;
    }
  }
  return "";
}

}  // namespace

std::string KindLabel(const Op& op) {
  return op.kind == OpKind::kCustom ? "CUSTOM:" + op.custom_code : std::string(OpKindName(op.kind));
}

std::vector<OperatorReport> DescribeOperators(const Model& model, const Recipe& recipe, const SettingsTable* settings) {
  std::vector<OperatorReport> rows;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const Subgraph& subgraph = model.subgraphs[s];
    const UseMap uses(subgraph);
    for (size_t i = 0; i < subgraph.ops.size(); ++i) {
      const Op& op = subgraph.ops[i];
      OperatorReport& row = rows.emplace_back();
      row.subgraph = static_cast<int>(s);
      row.index = static_cast<int>(i);
      row.kind = KindLabel(op);
      if (!op.outputs.empty()) row.name = subgraph.tensor(op.outputs[0]).name;
      row.precision = PrecisionOf(model, subgraph, uses, op);
      const QuantizeSettings& asked = settings == nullptr ? recipe.quantize : settings->For(SubgraphId(s), op);
      row.reason = ReasonFor(model, s, op, row.precision, asked);
    }
  }
  return rows;
}

int64_t CountEligible(const Model& model, const Recipe& recipe) {
  const Scheme scheme = recipe.quantize.scheme.value_or(Scheme::kNone);
  int64_t count = 0;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    if (scheme == Scheme::kFullInteger && s > 0) break;
    const Subgraph& subgraph = model.subgraphs[s];
    for (const Op& op : subgraph.ops) {
      switch (scheme) {
        case Scheme::kNone:
          break;
        case Scheme::kFloat16:
          count += std::any_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
            return id.valid() && IsDenseFloatConstant(model, subgraph.tensor(id));
          });
          break;
        case Scheme::kDynamicRange:
        case Scheme::kWeightOnly:
          count += !PlanWeights(model, subgraph, op, recipe.quantize).constants.empty();
          break;
        case Scheme::kFullInteger:
          count += WhyNotInteger(model, subgraph, op, recipe.quantize).empty();
          break;
      }
    }
  }
  return count;
}

std::string WhyNothingToDo(const Model& model) {
  std::map<std::string, int64_t> constants;
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Tensor& tensor : subgraph.tensors) {
      if (model.IsConstant(tensor)) ++constants[TensorTypeLabel(tensor.type)];
    }
  }
  std::vector<std::string> counts;
  for (const auto& [type, count] : constants) counts.push_back(absl::StrFormat("%d %s", count, type));
  const bool quantized = constants.contains("int8") || constants.contains("float16") || constants.contains("uint8");
  return absl::StrFormat("%s (constants: %s)",
                         quantized ? "the model is quantized already" : "it has no operator that the recipe applies to",
                         counts.empty() ? "none" : absl::StrJoin(counts, ", "));
}

}  // namespace lathe
