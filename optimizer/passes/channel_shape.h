#ifndef LATHE_OPTIMIZER_PASSES_CHANNEL_SHAPE_H_
#define LATHE_OPTIMIZER_PASSES_CHANNEL_SHAPE_H_

// Factors of channels, as equalization leaves them, in weights and through a graph. channel_rules.h and channel_sets.h
// decide where channels may be rescaled; here it has happened.

#include <cstdint>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/op_kind.h"

namespace lathe {

// The weights of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED by the channels that they read and
// write.
class WeightChannels {
 public:
  // REQUIRES: the kind is one of these, `axis` its axis of output channels, inside the shape.
  WeightChannels(OpKind kind, const std::vector<int32_t>& shape, int32_t axis);

  const math::ChannelLayout& layout() const { return layout_; }  // by output channel
  // Weights that give the same outputs for inputs that are `factors` times as large. As many factors as input channels,
  // or none is applied.
  void DivideInputs(const std::vector<float>& factors, std::vector<float>& weights) const;
  // Weights that give outputs that are `factors` times as large. REQUIRES: as many as output channels.
  void MultiplyOutputs(const std::vector<float>& factors, std::vector<float>& weights) const;

 private:
  size_t InputOf(size_t i) const;
  math::ChannelLayout layout_;
  bool depthwise_;
  int64_t inputs_;  // of a grouped convolution: those of a group
};

// Operators whose outputs are as many times as large as their inputs, channel by channel (last dimension), for positive
// factors: they do not mix channels and have no threshold but 0.
bool KeepsChannels(OpKind kind);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHANNEL_SHAPE_H_
