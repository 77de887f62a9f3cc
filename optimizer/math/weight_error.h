#ifndef LATHE_OPTIMIZER_MATH_WEIGHT_ERROR_H_
#define LATHE_OPTIMIZER_MATH_WEIGHT_ERROR_H_

// Scales of integer weights that clip where clipping pays. No model; thread-safe.

#include "absl/types/span.h"
#include "optimizer/math/quantize.h"

namespace lathe::math {

// Lowers each scale to one with a small sum of (w - scale * q)^2: the best f * scale of f = 1.0, 0.9 ... 0.3, then of
// f +- 0.025, 0.05 and 0.075; where 0.3 is best also the fixed point of OCTAV (arXiv 2206.06501; with step = clip /
// HighestLevel), which finds the still smaller clips of heavy tails. A scale stays where no candidate is better. Does
// nothing for 8 bits: rounding to 127 levels costs max^2 / (12 * 127^2) a weight, so clipping gains less than
// n / 193,548 of the error for a channel of n weights, which is below 0.1 dB for up to 4,096 weights a channel.
// REQUIRES: scales are those of ChooseWeightScales(weights, layout, scales, bits). Same bits for any thread count.
void LowerScalesToLeastError(absl::Span<const float> weights, ChannelLayout layout, int bits, absl::Span<float> scales);

// Moves levels to the other neighbour of their weight, those nearest to the middle first, until the errors q * scale -
// w of each channel add up to at most half a scale: inputs behind a RELU have positive means, so errors of one sign add
// up in every output, while their squares grow little (SQuant, arXiv 2202.07471, its sum over the output channel;
// measured in docs/decisions/0014). Levels at the end of the range stay. REQUIRES: levels are those of QuantizeWeights
// with the same arguments. Same levels for any thread count.
void BalanceRounding(absl::Span<const float> weights, ChannelLayout layout, absl::Span<const float> scales, int bits,
                     absl::Span<int8_t> levels);

// Sum of (w - scale * q)^2 with q as QuantizeWeights rounds (up to the rounding of 1 / scale).
double SquaredError(absl::Span<const float> weights, float scale, int bits);

// How much of what distinguishes the entries of a table survives rounding to multiples of a step, in dB. For each row:
// the square of the mean distance of its entries from the row's own mean, against the mean squared error; three of four
// rows keep at least the result. Neither a large constant in a row nor an outlier, in which squares would drown, can
// hide the loss of the detail beside it. Rows of equal entries have no detail and do not count; 200 when no row counts
// or errs. Same bits for any thread count. REQUIRES: row > 0 divides values.size(); steps holds one for all rows or one
// for each, positive.
double DetailSqnrDb(absl::Span<const float> values, size_t row, absl::Span<const float> steps);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_WEIGHT_ERROR_H_
