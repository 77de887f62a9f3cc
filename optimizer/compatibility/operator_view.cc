#include "optimizer/compatibility/operator_view.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

TypeSet SetOf(TensorType type) {
  switch (type) {
    case TensorType::kFloat32:
      return kFloat32Type;
    case TensorType::kFloat16:
      return kFloat16Type;
    case TensorType::kInt8:
      return kInt8Type;
    case TensorType::kUint8:
      return kUint8Type;
    case TensorType::kInt16:
      return kInt16Type;
    case TensorType::kInt32:
      return kInt32Type;
    case TensorType::kInt64:
      return kInt64Type;
    case TensorType::kBool:
      return kBoolType;
    case TensorType::kUint32:
      return kUint32Type;
    case TensorType::kString:
      return 0;
    default:
      return kOtherTypes;
  }
}

size_t DataOperand(OpKind kind) {
  switch (kind) {
    case OpKind::kEmbeddingLookup:  // rows come first
    case OpKind::kFill:             // a shape
    case OpKind::kSelect:           // a condition
    case OpKind::kSelectV2:
    case OpKind::kSplit:  // an axis
      return 1;
    case OpKind::kTransposeConv:  // a shape and weights
      return 2;
    default:
      return 0;
  }
}

}  // namespace

std::optional<TensorType> OperatorView::type() const {
  if (const Tensor* data = input(DataOperand(op.kind)); data != nullptr) return data->type;
  if (output(0) != nullptr) return output(0)->type;
  return std::nullopt;
}

bool Holds(TypeSet types, TensorType type) { return (types & SetOf(type)) != 0; }

std::string WhyNotByRules(const OperatorView& view, absl::Span<const OperatorRule> rules, std::string_view target) {
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const OperatorRule& each) { return each.kind == view.op.kind; });
  if (view.op.kind == OpKind::kCustom) {
    return absl::StrFormat("%s does not know the custom operator '%s'", target, view.op.custom_code);
  }
  if (rule == rules.end()) return absl::StrFormat("%s does not take the kind", target);
  const std::optional<TensorType> type = view.type();
  if (type && !Holds(rule->types, *type)) {
    return absl::StrFormat("%s does not take the kind in %s", target, TensorTypeLabel(*type));
  }
  if (rule->version_max > 0 && view.op.version > rule->version_max) {
    return absl::StrFormat("%s takes versions up to %d, and this is version %d", target, rule->version_max,
                           view.op.version);
  }
  if (rule->rank_max > 0) {
    if (std::string why = WhyRankAbove(view, rule->rank_max); !why.empty()) return why;
  }
  for (size_t i = 0; i < view.op.inputs.size(); ++i) {
    if ((rule->constants >> i & 1) == 0) continue;
    if (std::string why = WhyComputed(view, i); !why.empty()) return why;
  }
  return rule->limit == nullptr ? "" : rule->limit(view);
}

std::string WhyDynamic(const OperatorView& view) {
  for (const std::vector<TensorId>* tensors : {&view.op.inputs, &view.op.outputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid()) continue;
      const Tensor& tensor = view.graph.tensor(id);
      const auto& dimensions = tensor.shape_signature;
      const bool open = !dimensions.empty() && std::any_of(dimensions.begin() + 1, dimensions.end(),
                                                           [](int32_t dimension) { return dimension < 0; });
      if (open) return absl::StrFormat("'%s' has a dynamic shape", tensor.name);
    }
  }
  return "";
}

std::string LimitFusedActivation(const OperatorView& view) {
  return FusedActivation(view.op) == Activation::kNone ? "" : "it has a fused activation";
}

std::string LimitBatchAxis(const OperatorView& view) {
  if (!view.IsConstantInput(1) || view.input(1)->type != TensorType::kInt32) return "its axes are not constant";
  const Tensor* data = view.input(0);
  if (data == nullptr) return "it lacks operands";
  for (int32_t axis : view.model.Int32Data(*view.input(1))) {
    if (axis == 0 || axis == -static_cast<int32_t>(data->shape.size())) return "it reduces the batch dimension";
  }
  return "";
}

std::string LimitConstantOperands(const OperatorView& view) {
  for (size_t i = 1; i < view.op.inputs.size(); ++i) {
    if (std::string why = WhyComputed(view, i); !why.empty()) return why;
  }
  return "";
}

std::string WhyComputed(const OperatorView& view, size_t operand) {
  const bool computed = view.input(operand) != nullptr && !view.IsConstantInput(operand);
  return computed ? absl::StrFormat("operand %d is not a constant", operand) : "";
}

std::string WhyRankAbove(const OperatorView& view, size_t rank_max) {
  for (const std::vector<TensorId>* tensors : {&view.op.inputs, &view.op.outputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid() || view.graph.tensor(id).shape.size() <= rank_max) continue;
      const Tensor& tensor = view.graph.tensor(id);
      return absl::StrFormat("'%s' has %d dimensions, and there may be %d", tensor.name, tensor.shape.size(), rank_max);
    }
  }
  return "";
}

std::string WhyResultIsNot(const OperatorView& view, TypeSet types) {
  const Tensor* result = view.output(0);
  if (result == nullptr || Holds(types, result->type)) return "";
  return absl::StrFormat("its result is %s", TensorTypeLabel(result->type));
}

std::string WhyGridsDiffer(const OperatorView& view) {
  const Tensor* result = view.output(0);
  if (result == nullptr) return "";
  for (size_t i = 0; i < view.op.inputs.size(); ++i) {
    const Tensor* operand = view.input(i);
    if (operand == nullptr || operand->type != TensorType::kInt8) continue;
    const bool same = operand->quantization.scale == result->quantization.scale &&
                      operand->quantization.zero_point == result->quantization.zero_point;
    if (!same) return absl::StrFormat("'%s' and its result differ in scale or zero point", operand->name);
  }
  return "";
}

}  // namespace lathe
