#ifndef LATHE_OPTIMIZER_MATH_HALF_ROUNDING_H_
#define LATHE_OPTIMIZER_MATH_HALF_ROUNDING_H_

#include <cstdint>

#include "absl/types/span.h"
#include "optimizer/math/quantize.h"

namespace lathe::math {

// float16 of weights whose rounding errors nearly add up to nothing in each channel: the SQuant constraint
// (arXiv 2202.07471) for floating point. Activations behind RELU are not negative, so errors of one sign in a channel
// shift its output: mobilenet_v2 with random weights is 1.3 dB closer to float than with the nearest values. Every
// result is one of the two float16 neighbours of its value; values beyond +-65504 are clamped, as by ToFloat16. Same
// result for any thread count. REQUIRES: layout's product == values.size() == out.size(); values finite.
void ToBalancedFloat16(absl::Span<const float> values, ChannelLayout layout, absl::Span<uint16_t> out);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_HALF_ROUNDING_H_
