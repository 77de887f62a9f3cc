#ifndef LATHE_OPTIMIZER_PASSES_WEIGHT_DEVIATION_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHT_DEVIATION_H_

// How the weights of one file differ from those of another that it was quantized from, and why.

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/math/quantize.h"
#include "optimizer/passes/stored_constant.h"

namespace lathe {

// Seen from the axis of output channels, w are the float weights, s the scale that a stored weight has, [lo, hi] what
// its grid can hold, e = stored - w:
//   clipped weights (w < lo - s/2 or w > hi + s/2) err by their range;
//   of the others' e^2, which is s^2 / 12 for each, a scale that is larger than the natural scale s0 of the weights
//   that share it causes the share 1 - (s0 / s)^2: their range was stretched, by an outlier or by other channels;
//   the rest is rounding.
// s0 = t / highest level, t = min(largest |w|, 6 * rms of the weights without the largest hundredth, at least one of
// them), and below 8 bits not above the clip of least squared error (math/weight_error.h). 6 rms hold normally
// distributed weights (5 of a million lie beyond 4.5) and Laplacian ones up to some thousands.
//
struct WeightDeviation {
  // Of the error of the channel's weights, what their range causes, in [0, 1]; 0 where nothing errs or nothing is
  // rounded to a scale.
  double range_share = 0;
  // Of the power of the weights, what is left when they are clipped to +-t, in [0, 1]: an outlier makes signal where it
  // makes noise, and would hide by it what it does to the others.
  double ordinary_power = 1;
};

// For each channel. REQUIRES: stored.values.size() == weights.size() == layout's product.
std::vector<WeightDeviation> FindWeightDeviations(absl::Span<const float> weights, const StoredConstant& stored,
                                                  math::ChannelLayout layout);

// Cross-layer equalization multiplies the weights of an output channel by a factor and the weights that read it by the
// inverse; the file says nothing about it. Per output channel the median of stored / w over weights that rounding
// changes little, where it is not 1 by more than rounding can do, in at least a quarter of the channels; else empty:
// the layer was not rescaled. `weights` have been divided by the factors of the input channels. REQUIRES: as above.
std::vector<float> FindChannelFactors(absl::Span<const float> weights, const StoredConstant& stored,
                                      math::ChannelLayout layout);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHT_DEVIATION_H_
