#include "optimizer/passes/channel_shape.h"

#include <cstddef>

namespace lathe {

WeightChannels::WeightChannels(OpKind kind, const std::vector<int32_t>& shape, int32_t axis)
    : depthwise_(kind == OpKind::kDepthwiseConv2d), inputs_(shape.back()) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (static_cast<int32_t>(i) < axis) layout_.outer *= shape[i];
    if (static_cast<int32_t>(i) == axis) layout_.channels = shape[i];
    if (static_cast<int32_t>(i) > axis) layout_.inner *= shape[i];
  }
}

size_t WeightChannels::InputOf(size_t i) const { return i % static_cast<size_t>(inputs_); }

void WeightChannels::DivideInputs(const std::vector<float>& factors, std::vector<float>& weights) const {
  const size_t count = factors.size(), inputs = static_cast<size_t>(inputs_);
  if (count == 0 || inputs % count != 0) return;
  // A depthwise convolution may write several channels for each that it reads.
  const size_t repeat = depthwise_ ? inputs / count : 1;
  if (!depthwise_ && inputs != count) return;
  for (size_t i = 0; i < weights.size(); ++i) weights[i] /= factors[InputOf(i) / repeat];
}

void WeightChannels::MultiplyOutputs(const std::vector<float>& factors, std::vector<float>& weights) const {
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] *= factors[i / static_cast<size_t>(layout_.inner) % static_cast<size_t>(layout_.channels)];
  }
}

bool KeepsChannels(OpKind kind) {
  switch (kind) {
    case OpKind::kRelu:
    case OpKind::kLeakyRelu:
    case OpKind::kPrelu:
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
    case OpKind::kMean:
    case OpKind::kPad:
    case OpKind::kMirrorPad:
    case OpKind::kConcatenation:
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
    case OpKind::kResizeBilinear:
    case OpKind::kResizeNearestNeighbor:
    case OpKind::kStridedSlice:
    case OpKind::kSpaceToBatchNd:
    case OpKind::kBatchToSpaceNd:
      return true;
    default:
      return false;
  }
}

}  // namespace lathe
