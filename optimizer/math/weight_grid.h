#ifndef LATHE_OPTIMIZER_MATH_WEIGHT_GRID_H_
#define LATHE_OPTIMIZER_MATH_WEIGHT_GRID_H_

#include "absl/types/span.h"
#include "optimizer/math/quantize.h"

namespace lathe::math {

// Finds the grid of weights that were quantized before (read from integers, or trained with simulated quantization):
// where all values of a channel are, to the bit, whole multiples of one float scale, at most `levels` of them, that
// scale becomes the channel's, so that rounding to it gives the weights back without error, and the very same integers
// when the largest of them is above levels / 2 (a grid that uses less may come back refined). Other channels keep the
// scale that they have, which takes reading a few values of each; so do channels of fewer than 8 weights. REQUIRES:
// values finite; levels > 0; scales positive and for channels that are not all zeros largest |value| / levels.
void KeepGrids(absl::Span<const float> weights, ChannelLayout layout, int levels, absl::Span<float> scales);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_WEIGHT_GRID_H_
