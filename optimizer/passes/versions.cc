#include "optimizer/passes/versions.h"

#include <algorithm>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

bool PerChannel(const Tensor& tensor) { return tensor.quantization.scale.size() > 1; }

int32_t FullyConnectedVersion(const Op& op, const Tensor& data, const Tensor& weights) {
  const FullyConnectedOptions options = GetFullyConnectedOptions(op).value_or(FullyConnectedOptions{});
  int32_t version = 1;
  if (weights.type == TensorType::kInt8) {
    if (data.type == TensorType::kInt8) {
      version = 4;
    } else if (PerChannel(weights)) {
      version = 12;
    } else {
      version = options.asymmetric_quantize_inputs ? 9 : 3;
    }
  }
  if (options.keep_num_dims) version = std::max(version, 5);
  if (!op.input(2).valid()) version = std::max(version, 6);
  return version;
}

int32_t ConvolutionVersion(const Op& op, const Tensor& data, const Tensor& weights) {
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  if (weights.type != TensorType::kInt8) return op.version;
  if (data.type == TensorType::kInt8) return 3;
  if (PerChannel(weights)) return depthwise ? 6 : 5;
  return depthwise ? 4 : 2;
}

int32_t DequantizeVersion(const Tensor& from) {
  if (from.type == TensorType::kFloat16 || from.type == TensorType::kInt16) return 3;
  return PerChannel(from) ? 5 : 2;
}

}  // namespace

int32_t MinimalVersion(const Subgraph& subgraph, const Op& op) {
  if (op.inputs.empty() || !op.inputs[0].valid()) return op.version;
  const Tensor& data = subgraph.tensor(op.inputs[0]);
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      return op.input(1).valid() ? ConvolutionVersion(op, data, subgraph.tensor(op.inputs[1])) : op.version;
    case OpKind::kFullyConnected:
      return op.input(1).valid() ? FullyConnectedVersion(op, data, subgraph.tensor(op.inputs[1])) : op.version;
    case OpKind::kEmbeddingLookup:
      return op.input(1).valid() && PerChannel(subgraph.tensor(op.inputs[1])) ? 4 : op.version;
    case OpKind::kQuantize:
      return 1;
    case OpKind::kDequantize:
      return DequantizeVersion(data);
    case OpKind::kAdd:
    case OpKind::kAveragePool2d:
    case OpKind::kDepthToSpace:
    case OpKind::kMaxPool2d:
    case OpKind::kMean:
    case OpKind::kMinimum:
    case OpKind::kPad:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kSoftmax:
      return data.type == TensorType::kInt8 ? 2 : op.version;
    default:
      return op.version;
  }
}

}  // namespace lathe
