#include "optimizer/passes/versions.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

bool PerChannel(const Tensor& tensor) { return tensor.quantization.scale.size() > 1; }

bool IsIntegerWeight(TensorType type) {
  return type == TensorType::kInt8 || type == TensorType::kInt4 || type == TensorType::kInt2;
}

int32_t FullyConnectedWeightsVersion(const Op& op, const FullyConnectedOptions& options, const Tensor& data,
                                     const Tensor& weights) {
  if (weights.type == TensorType::kInt2) return 14;
  const bool int4 = weights.type == TensorType::kInt4;
  if (data.type == TensorType::kInt16) {
    const bool int32_bias = options.quantized_bias_type == TensorType::kInt32 && op.input(2).valid();
    return int4 ? 13 : int32_bias ? 11 : 7;
  }
  if (data.type == TensorType::kInt8) return int4 ? 10 : 4;
  if (PerChannel(weights)) return 12;
  return int4 ? 10 : options.asymmetric_quantize_inputs ? 9 : 3;
}

int32_t FullyConnectedVersion(const Op& op, const Tensor& data, const Tensor& weights) {
  const FullyConnectedOptions options = GetFullyConnectedOptions(op).value_or(FullyConnectedOptions{});
  int32_t version =
      IsIntegerWeight(weights.type) ? FullyConnectedWeightsVersion(op, options, data, weights) : int32_t{1};
  if (options.keep_num_dims) version = std::max(version, 5);
  if (!op.input(2).valid()) version = std::max(version, 6);
  return version;
}

int32_t ConvolutionVersion(const Op& op, const Tensor& data, const Tensor& weights) {
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  if (!IsIntegerWeight(weights.type)) return op.version;
  const bool grouped =
      !depthwise && data.shape.size() == 4 && weights.shape.size() == 4 && data.shape[3] != weights.shape[3];
  const int32_t least = grouped ? 6 : 1;
  if (weights.type != TensorType::kInt8) return 7;
  if (data.type == TensorType::kInt16) {
    const ConvOptions options = GetConvOptions(op).value_or(ConvOptions{});
    if (!depthwise && options.quantized_bias_type == TensorType::kInt32) return 8;
    return std::max(least, depthwise ? 5 : 3);
  }
  if (data.type == TensorType::kInt8) return std::max(least, 3);
  if (PerChannel(weights)) return depthwise ? 6 : std::max(least, 5);
  return std::max(least, depthwise ? 4 : 2);
}

int32_t TransposeConvVersion(const Op& op, const Tensor& data) {
  const ConvOptions options = GetConvOptions(op).value_or(ConvOptions{});
  if (data.type == TensorType::kInt16 && options.quantized_bias_type == TensorType::kInt32) return 5;
  if (options.activation != Activation::kNone) return 4;
  if (op.input(3).valid()) return 3;
  return data.type == TensorType::kInt8 ? 2 : 1;
}

int32_t QuantizeVersion(const Tensor& from, const Tensor& to) {
  if (to.type == TensorType::kInt4) return 4;
  if (PerChannel(to)) return 3;
  return from.type == TensorType::kInt16 || to.type == TensorType::kInt16 ? 2 : 1;
}

int32_t DequantizeVersion(const Tensor& from) {
  if (from.type == TensorType::kInt2) return 7;
  if (from.type == TensorType::kInt4) return 6;
  if (PerChannel(from)) return 5;
  if (from.type == TensorType::kFloat16 || from.type == TensorType::kInt16) return 3;
  return from.type == TensorType::kInt8 ? 2 : 1;
}

// A product that needs a multiplier of 1 or more came with version 3.
int32_t MulVersion(const Subgraph& subgraph, const Op& op) {
  const Tensor &a = subgraph.tensor(op.inputs[0]), &result = subgraph.tensor(op.outputs[0]);
  if (a.type == TensorType::kInt16) return 4;
  if (a.type != TensorType::kInt8 || !op.input(1).valid()) return op.version;
  const Tensor& b = subgraph.tensor(op.inputs[1]);
  const bool scaled =
      a.quantization.scale.size() == 1 && b.quantization.scale.size() == 1 && result.quantization.scale.size() == 1;
  return scaled && a.quantization.scale[0] * b.quantization.scale[0] >= result.quantization.scale[0] ? 3 : 2;
}

int32_t TransposeVersion(const Op& op, const Tensor& data) {
  if (data.shape.size() > 5) return 6;
  if (data.type == TensorType::kInt16) return 5;
  if (data.shape.size() == 5) return 4;
  return data.type == TensorType::kInt8 ? 2 : op.version;
}

// Kinds whose version follows from the type of one operand.
struct TypedVersion {
  OpKind kind;
  int32_t int8, int16;
  size_t operand = 0;
  // True: options raise the version too, and the input file's says how far.
  bool keeps_own = false;
};

constexpr TypedVersion kTypedVersions[] = {
    {OpKind::kAbs, 2, 3},
    {OpKind::kAdd, 2, 3},
    {OpKind::kArgMax, 2, 2},
    {OpKind::kArgMin, 2, 2},
    {OpKind::kAveragePool2d, 2, 3},
    {OpKind::kBatchMatmul, 2, 3},
    {OpKind::kBatchToSpaceNd, 2, 4, 0, true},
    {OpKind::kBroadcastTo, 3, 3},
    {OpKind::kConcatenation, 2, 3},
    {OpKind::kDepthToSpace, 2, 2},
    {OpKind::kEqual, 2, 2},
    {OpKind::kExp, 2, 2},
    {OpKind::kGather, 2, 4, 0, true},
    {OpKind::kGatherNd, 1, 3},
    {OpKind::kGelu, 2, 2},
    {OpKind::kGreater, 2, 2},
    {OpKind::kGreaterEqual, 2, 2},
    {OpKind::kL2Normalization, 2, 2},
    {OpKind::kLeakyRelu, 1, 2},
    {OpKind::kLess, 2, 2},
    {OpKind::kLessEqual, 2, 2},
    {OpKind::kLog, 2, 2},
    {OpKind::kLogSoftmax, 2, 2},
    {OpKind::kLogistic, 2, 3},
    {OpKind::kMaxPool2d, 2, 3},
    {OpKind::kMaximum, 2, 4},
    {OpKind::kMean, 2, 3},
    {OpKind::kMinimum, 2, 4},
    {OpKind::kMirrorPad, 2, 3},
    {OpKind::kNotEqual, 2, 2},
    {OpKind::kPack, 2, 3},
    {OpKind::kPad, 2, 3},
    {OpKind::kPadv2, 2, 3},
    {OpKind::kReduceMax, 2, 3},
    {OpKind::kReduceMin, 2, 3},
    {OpKind::kReduceProd, 2, 2},
    {OpKind::kRelu, 2, 3},
    {OpKind::kRelu6, 2, 3},
    {OpKind::kResizeBilinear, 2, 4, 0, true},
    {OpKind::kResizeNearestNeighbor, 2, 4, 0, true},
    {OpKind::kReverseV2, 3, 3},
    {OpKind::kRsqrt, 2, 3},
    {OpKind::kSlice, 2, 4, 0, true},
    {OpKind::kSoftmax, 2, 3},
    {OpKind::kSpaceToBatchNd, 2, 4, 0, true},
    {OpKind::kSpaceToDepth, 2, 2},
    {OpKind::kSplit, 2, 4, 1},
    {OpKind::kSqrt, 2, 2},
    {OpKind::kSquaredDifference, 2, 2},
    {OpKind::kStridedSlice, 2, 1, 0, true},
    {OpKind::kSub, 2, 5},
    {OpKind::kSum, 2, 2},
    {OpKind::kTanh, 2, 3},
    {OpKind::kTile, 3, 3},
    {OpKind::kUnpack, 2, 4},
};

int32_t VersionByType(const Subgraph& subgraph, const Op& op) {
  const auto* row = std::find_if(std::begin(kTypedVersions), std::end(kTypedVersions),
                                 [&](const TypedVersion& typed) { return typed.kind == op.kind; });
  if (row == std::end(kTypedVersions) || !op.input(row->operand).valid()) return op.version;
  const TensorType type = subgraph.tensor(op.inputs[row->operand]).type;
  if (type != TensorType::kInt8 && type != TensorType::kInt16) return op.version;
  const int32_t version = type == TensorType::kInt8 ? row->int8 : row->int16;
  return row->keeps_own ? std::max(version, op.version) : version;
}

// Recurrent kinds: float data and states, integer weights. LSTM reads them from operand 2 on in every form.
int32_t RecurrentVersion(const Subgraph& subgraph, const Op& op) {
  const bool lstm = op.kind == OpKind::kLstm || op.kind == OpKind::kUnidirectionalSequenceLstm;
  const TensorId weights = op.input(lstm ? 2 : 1);
  if (!weights.valid() || subgraph.tensor(weights).type != TensorType::kInt8) return op.version;
  const bool asymmetric = AsymmetricQuantizeInputs(op);
  if (op.kind == OpKind::kLstm) return asymmetric ? 4 : 3;
  if (op.kind == OpKind::kSvdf) return asymmetric ? 4 : 2;
  return asymmetric ? 3 : 2;
}

}  // namespace

int32_t MinimalVersion(const Subgraph& subgraph, const Op& op) {
  if (op.inputs.empty() || !op.inputs[0].valid() || op.outputs.empty() || !op.outputs[0].valid()) return op.version;
  const Tensor& data = subgraph.tensor(op.inputs[0]);
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      return op.input(1).valid() ? ConvolutionVersion(op, data, subgraph.tensor(op.inputs[1])) : op.version;
    case OpKind::kFullyConnected:
      return op.input(1).valid() ? FullyConnectedVersion(op, data, subgraph.tensor(op.inputs[1])) : op.version;
    case OpKind::kTransposeConv:
      return op.input(2).valid() ? TransposeConvVersion(op, subgraph.tensor(op.inputs[2])) : op.version;
    case OpKind::kEmbeddingLookup: {
      if (!op.input(1).valid()) return op.version;
      const Tensor& table = subgraph.tensor(op.inputs[1]);
      if (table.type == TensorType::kInt2) return 5;
      return PerChannel(table) || table.type == TensorType::kInt4 ? 4 : op.version;
    }
    case OpKind::kLstm:
    case OpKind::kRnn:
    case OpKind::kSvdf:
    case OpKind::kUnidirectionalSequenceLstm:
    case OpKind::kUnidirectionalSequenceRnn:
      return RecurrentVersion(subgraph, op);
    case OpKind::kQuantize:
      return QuantizeVersion(data, subgraph.tensor(op.outputs[0]));
    case OpKind::kDequantize:
      return DequantizeVersion(data);
    case OpKind::kMul:
      return MulVersion(subgraph, op);
    case OpKind::kTranspose:
      return TransposeVersion(op, data);
    default:
      return VersionByType(subgraph, op);
  }
}

}  // namespace lathe
