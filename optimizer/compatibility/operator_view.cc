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
    default:
      return 0;
  }
}

}  // namespace

std::optional<TensorType> OperatorView::type() const {
  // Operand 0 of these is a shape or an axis, also where it is computed.
  const size_t first = op.kind == OpKind::kSplit ? 1 : op.kind == OpKind::kTransposeConv ? 2 : 0;
  for (size_t i = first; i < op.inputs.size(); ++i) {
    if (input(i) != nullptr && !model.IsConstant(*input(i))) return input(i)->type;
  }
  if (input(first) != nullptr) return input(first)->type;
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
    if (view.input(i) != nullptr && !view.IsConstantInput(i)) {
      return absl::StrFormat("operand %d is not a constant", i);
    }
  }
  return "";
}

}  // namespace lathe
