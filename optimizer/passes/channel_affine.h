#ifndef LATHE_OPTIMIZER_PASSES_CHANNEL_AFFINE_H_
#define LATHE_OPTIMIZER_PASSES_CHANNEL_AFFINE_H_

#include <optional>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// What an elementwise operator does to its data when its other operand is a constant with one value for each index of
// the last dimension, or one in all: y[..., c] = scale[c] * x[..., c] + shift[c], then the fused activation.
struct ChannelAffine {
  size_t data = 0;                   // operand that is not the constant
  std::vector<double> scale, shift;  // one for each channel, or one for all
  bool scales = false, shifts = false;

  double ScaleOf(size_t channel) const { return scale[scale.size() == 1 ? 0 : channel]; }
  double ShiftOf(size_t channel) const { return shift[shift.size() == 1 ? 0 : channel]; }
};

// For ADD, SUB, MUL, DIV (x / c) of a float32 activation with at least one dimension and a finite dense float32
// constant that does not widen it; nullopt for others, division by 0 included.
std::optional<ChannelAffine> FindChannelAffine(const Model& model, const Subgraph& subgraph, const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHANNEL_AFFINE_H_
