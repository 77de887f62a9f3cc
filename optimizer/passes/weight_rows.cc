#include "optimizer/passes/weight_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Level i of an integer constant. int4: two a byte, the first in the low half.
std::optional<int64_t> LevelAt(TensorType type, absl::Span<const uint8_t> bytes, size_t i) {
  const auto load = [&](auto value) -> int64_t {
    std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
    return value;
  };
  switch (type) {
    case TensorType::kInt8:
      return load(int8_t{});
    case TensorType::kInt32:
      return load(int32_t{});
    case TensorType::kInt64:
      return load(int64_t{});
    case TensorType::kInt4: {
      const int nibble = i % 2 == 0 ? bytes[i / 2] & 0xf : bytes[i / 2] >> 4;
      return nibble >= 8 ? nibble - 16 : nibble;
    }
    default:
      return std::nullopt;
  }
}

// A constant as real numbers, in its own order.
std::optional<std::vector<float>> RealConstant(const Model& model, const Tensor& tensor) {
  if (IsDenseFloatConstant(model, tensor)) {
    const absl::Span<const float> values = model.FloatData(tensor);
    return std::vector<float>(values.begin(), values.end());
  }
  const Quantization& quantization = tensor.quantization;
  const size_t scales = quantization.scale.size();
  if (!model.IsConstant(tensor) || tensor.sparsity != nullptr || scales == 0 || quantization.details != nullptr) {
    return std::nullopt;
  }
  const int32_t axis = scales == 1 ? 0 : quantization.quantized_dimension;
  if (axis < 0 || static_cast<size_t>(axis) >= tensor.shape.size()) return std::nullopt;
  const math::ChannelLayout layout = LayoutAlong(tensor, axis);
  if (scales > 1 && static_cast<int64_t>(scales) != layout.channels) return std::nullopt;
  std::vector<float> values(static_cast<size_t>(tensor.NumElements()));
  for (size_t i = 0; i < values.size(); ++i) {
    const std::optional<int64_t> level = LevelAt(tensor.type, model.buffer(tensor.buffer).bytes(), i);
    if (!level) return std::nullopt;
    const size_t channel = i / static_cast<size_t>(layout.inner) % static_cast<size_t>(layout.channels);
    const size_t at = scales == 1 ? 0 : channel;
    const int64_t zero_point = at < quantization.zero_point.size() ? quantization.zero_point[at] : 0;
    values[i] = static_cast<float>(static_cast<double>(*level - zero_point) * double{quantization.scale[at]});
  }
  return values;
}

// The constant behind an operand: itself, or what a DEQUANTIZE makes of it.
TensorId FindConstant(const Model& model, TensorId id) {
  const Subgraph& subgraph = model.subgraphs[0];
  if (!id.valid() || model.IsConstant(subgraph.tensor(id))) return id;
  for (const Op& op : subgraph.ops) {
    if (op.kind == OpKind::kDequantize && !op.outputs.empty() && op.outputs[0] == id) return op.input(0);
  }
  return id;
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::optional<WeightRows> ReadWeightRows(const Model& model, const Op& op) {
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  if (!depthwise && op.kind != OpKind::kConv2d && op.kind != OpKind::kFullyConnected) return std::nullopt;
  const Subgraph& subgraph = model.subgraphs[0];
  const TensorId id = FindConstant(model, op.input(1));
  if (!id.valid()) return std::nullopt;
  const Tensor& tensor = subgraph.tensor(id);
  const size_t rank = op.kind == OpKind::kFullyConnected ? 2 : 4;
  if (tensor.shape.size() != rank || tensor.NumElements() < 1 || (depthwise && tensor.shape[0] != 1))
    return std::nullopt;
  std::optional<std::vector<float>> weights = RealConstant(model, tensor);
  if (!weights) return std::nullopt;
  WeightRows rows;
  rows.channels = depthwise ? tensor.shape[3] : tensor.shape[0];
  rows.k = tensor.NumElements() / rows.channels;
  // [k, channels] becomes [channels, k] by the same transposition the other way.
  rows.weights = ToTensorOrder(op.kind, rows.k, rows.channels, *std::move(weights));
  rows.bias.assign(static_cast<size_t>(rows.channels), 0.0f);
  if (const TensorId bias_id = FindConstant(model, op.input(2)); bias_id.valid()) {
    std::optional<std::vector<float>> bias = RealConstant(model, subgraph.tensor(bias_id));
    if (!bias || bias->size() != rows.bias.size()) return std::nullopt;
    rows.bias = *std::move(bias);
  }
  if (!AllFinite(rows.weights) || !AllFinite(rows.bias)) return std::nullopt;
  return rows;
}

std::vector<std::pair<OpId, OpId>> PairWeightOperators(const Model& reference, const Model& quantized) {
  const auto shape = [](const Model& model, const Op& op) {
    const TensorId id = op.input(1);
    return id.valid() ? model.subgraphs[0].tensor(id).shape : std::vector<int32_t>();
  };
  std::map<int32_t, OpId> by_origin;
  for (size_t i = 0; i < quantized.subgraphs[0].ops.size(); ++i) {
    const Op& op = quantized.subgraphs[0].ops[i];
    if (op.origin >= 0 && GetWeightOperands(op.kind)) by_origin.emplace(op.origin, OpId(i));
  }
  std::vector<std::pair<OpId, OpId>> pairs;
  for (size_t i = 0; i < reference.subgraphs[0].ops.size(); ++i) {
    const Op& op = reference.subgraphs[0].ops[i];
    const auto found = by_origin.find(op.origin);
    if (found == by_origin.end()) continue;
    const Op& other = quantized.subgraphs[0].ops[found->second.index()];
    if (other.kind != op.kind || shape(reference, op) != shape(quantized, other)) continue;
    pairs.emplace_back(OpId(i), found->second);
  }
  return pairs;
}

}  // namespace lathe
