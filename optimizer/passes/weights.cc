#include "optimizer/passes/weights.h"

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

size_t ExpectedRank(OpKind kind) { return kind == OpKind::kFullyConnected || kind == OpKind::kEmbeddingLookup ? 2 : 4; }

}  // namespace

std::optional<WeightOperands> GetWeightOperands(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kFullyConnected:
      return WeightOperands{.weights = 1, .data = 0, .bias = 2, .axis = 0};
    case OpKind::kDepthwiseConv2d:
      return WeightOperands{.weights = 1, .data = 0, .bias = 2, .axis = 3};
    case OpKind::kTransposeConv:
      return WeightOperands{.weights = 1, .data = 2, .bias = 3, .axis = 0};
    case OpKind::kEmbeddingLookup:
      return WeightOperands{.weights = 1, .data = 0, .bias = std::nullopt, .axis = 0};
    default:
      return std::nullopt;
  }
}

bool IsDenseFloatConstant(const Model& model, const Tensor& tensor) {
  return tensor.type == TensorType::kFloat32 && tensor.sparsity == nullptr && !tensor.is_variable &&
         model.IsConstant(tensor);
}

math::ChannelLayout LayoutAlong(const Tensor& tensor, int32_t axis) {
  math::ChannelLayout layout;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (static_cast<int32_t>(i) < axis) layout.outer *= tensor.shape[i];
    if (static_cast<int32_t>(i) == axis) layout.channels = tensor.shape[i];
    if (static_cast<int32_t>(i) > axis) layout.inner *= tensor.shape[i];
  }
  return layout;
}

std::string WhyNoIntegerWeights(const Model& model, const Subgraph& subgraph, const Op& op) {
  const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
  if (!operands) return "this kind of operator has no weights";
  if (const TensorId weights = op.input(operands->weights); weights.valid()) {
    if (subgraph.tensor(weights).quantization.IsQuantized()) return "its weights are already quantized";
    if (!IsDenseFloatConstant(model, subgraph.tensor(weights))) return "its weights are not a dense float32 constant";
  }
  return WhyNoWeightKernel(subgraph, op);
}

std::string WhyNoWeightKernel(const Subgraph& subgraph, const Op& op) {
  const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
  if (!operands) return "this kind of operator has no weights";
  const TensorId weights_id = op.input(operands->weights), data_id = op.input(operands->data);
  if (!weights_id.valid() || !data_id.valid() || op.outputs.empty()) return "it lacks operands";
  const Tensor& weights = subgraph.tensor(weights_id);
  if (weights.shape.size() != ExpectedRank(op.kind))
    return absl::StrFormat("its weights have rank %d", weights.shape.size());
  if (weights.NumElements() == 0) return "its weights are empty";
  const Tensor& data = subgraph.tensor(data_id);
  const bool looks_up = op.kind == OpKind::kEmbeddingLookup;  // its data are integer ids
  if (!looks_up && data.type != TensorType::kFloat32) return "its input is not float32";
  if (subgraph.tensor(op.outputs[0]).type != TensorType::kFloat32) return "its output is not float32";
  if (op.kind == OpKind::kConv2d && (data.shape.size() != 4 || data.shape[3] != weights.shape[3])) {
    return "grouped convolutions have no integer kernel here";
  }
  if (op.kind == OpKind::kFullyConnected) {
    const auto options = GetFullyConnectedOptions(op);
    if (options && !options->default_weights_format) return "its weights are in the shuffled format";
  }
  return "";
}

int64_t PerChannelBytes(int64_t channels) { return channels * int64_t{sizeof(float) + sizeof(int64_t)}; }

}  // namespace lathe
