#include "optimizer/passes/channel_rules.h"

#include <algorithm>

#include "optimizer/math/quantize.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Larger weights are damaged or would overflow when rescaled; such an operator is left alone.
constexpr float kMagnitudeMax = 1e20f;

std::optional<math::WeightGrid> FullyConnectedGrid(const Op& op, const std::vector<int32_t>& shape, int64_t inputs) {
  const std::optional<FullyConnectedOptions> options = GetFullyConnectedOptions(op);
  if (shape.size() != 2 || (options && !options->default_weights_format)) return std::nullopt;
  if (shape[1] % inputs != 0) return std::nullopt;
  return math::WeightGrid{.rows = shape[0], .columns = shape[1]};
}

}  // namespace

bool IsUsableConstant(const Model& model, TensorId id) {
  if (!id.valid()) return false;
  const Tensor& tensor = model.subgraphs[0].tensor(id);
  if (!IsDenseFloatConstant(model, tensor)) return false;
  const math::MinMax range = math::FindMinMax(model.FloatData(tensor));
  return range.lo >= -kMagnitudeMax && range.hi <= kMagnitudeMax;
}

std::optional<absl::Span<const int32_t>> ConstantInts(const Model& model, TensorId id) {
  if (!id.valid()) return std::nullopt;
  const Tensor& tensor = model.subgraphs[0].tensor(id);
  if (tensor.type != TensorType::kInt32 || !model.IsConstant(tensor)) return std::nullopt;
  return model.Int32Data(tensor);
}

std::optional<math::WeightGrid> FindWeightGrid(const Model& model, const Op& op) {
  const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
  if (!operands || !operands->bias) return std::nullopt;
  if (!op.input(operands->data).valid() || !IsUsableConstant(model, op.input(operands->weights))) return std::nullopt;
  const std::vector<int32_t>& shape = model.subgraphs[0].tensor(op.inputs[operands->weights]).shape;
  const std::vector<int32_t>& data = model.subgraphs[0].tensor(op.inputs[operands->data]).shape;
  if (data.empty() || data.back() < 1) return std::nullopt;
  if (std::any_of(shape.begin(), shape.end(), [](int32_t size) { return size < 1; })) return std::nullopt;
  const int64_t inputs = data.back();
  if (op.kind == OpKind::kFullyConnected) return FullyConnectedGrid(op, shape, inputs);
  if (shape.size() != 4 || data.size() != 4) return std::nullopt;
  const int64_t taps = int64_t{shape[1]} * shape[2];
  if (op.kind == OpKind::kDepthwiseConv2d) {
    if (shape[0] != 1 || shape[3] % inputs != 0) return std::nullopt;
    return math::WeightGrid{.rows = shape[3], .taps = taps, .columns = inputs, .depthwise = true};
  }
  if (inputs % shape[3] != 0 || shape[0] % (inputs / shape[3]) != 0) return std::nullopt;
  return math::WeightGrid{.rows = shape[0], .taps = taps, .columns = inputs, .groups = inputs / shape[3]};
}

bool ReducesOtherAxesOnly(const Model& model, const Op& op) {
  const auto axes = ConstantInts(model, op.input(1));
  if (!axes || !op.input(0).valid()) return false;
  const auto last = static_cast<int32_t>(model.subgraphs[0].tensor(op.inputs[0]).shape.size()) - 1;
  return std::none_of(axes->begin(), axes->end(), [&](int32_t axis) { return axis == last || axis == -1; });
}

bool KeepsLastAxisInPlace(const Model& model, const Op& op) {
  const auto order = ConstantInts(model, op.input(1));
  return order && !order->empty() && order->back() == static_cast<int32_t>(order->size()) - 1;
}

}  // namespace lathe
