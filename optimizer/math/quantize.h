#ifndef LATHE_OPTIMIZER_MATH_QUANTIZE_H_
#define LATHE_OPTIMIZER_MATH_QUANTIZE_H_

// Numeric kernels of quantization: spans in, spans out, no model. Formula everywhere: real = scale * (q - zero_point)
// (LiteRT 8-bit quantization specification). Thread-safe: they touch nothing but their arguments.

#include <cstdint>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe::math {

struct AffineParams {
  float scale = 1;
  int32_t zero_point = 0;
  bool operator==(const AffineParams&) const = default;
};

// Activation ranges narrower than this get its scale: a tensor that was constant while calibrating would otherwise get
// a scale near 0 and saturate on any other value later.
inline constexpr float kActivationRangeMin = 1e-6f;
// The same for int16: the kernels refuse a fused RELU6 where 6 / scale does not fit 32 bits, so 6 * 32767 / 2^31 at
// least.
inline constexpr float kActivationRangeMin16 = 1e-4f;

// int8 parameters for an activation in [lo, hi]: the range is widened to hold 0, scale = (hi - lo) / 255, zero point =
// round(-128 - lo / scale) clamped to [-128, 127]. REQUIRES: lo <= hi, both finite.
AffineParams ChooseInt8Params(float lo, float hi);

// Symmetric int16 parameters: scale = max(|lo|, |hi|) / 32767, zero point 0 (the kernels demand it). REQUIRES: both
// finite.
AffineParams ChooseInt16Params(float lo, float hi);

// q = clamp(round_half_even(value / scale), -32767, 32767). REQUIRES: out.size() == values.size(), scale > 0.
void QuantizeInt16(absl::Span<const float> values, float scale, absl::Span<int16_t> out);

// q = clamp(round_half_even(value / scale) + zero_point, -128, 127). REQUIRES: out.size() == values.size(), scale > 0.
void QuantizeInt8(absl::Span<const float> values, AffineParams params, absl::Span<int8_t> out);

// Smallest and largest value; {0, 0} for an empty span. NaN and infinities are returned as they are found: check the
// result with std::isfinite, a NaN anywhere makes `lo` NaN.
struct MinMax {
  float lo = 0, hi = 0;
};
MinMax FindMinMax(absl::Span<const float> values);

// The layout of a weight tensor seen from its quantized axis: value(o, c, i) = data[(o * channels + c) * inner + i].
struct ChannelLayout {
  int64_t outer = 1, channels = 1, inner = 1;
};

// The integers that weights of 8, 4 or 2 bits use. LiteRT's kernels assume that -128 is unused, and its built-in int4
// FULLY_CONNECTED computes wrongly with -8 (12 dB on normal data where -7 gives 44; XNNPACK's is right). Of the four
// values of int2 all are used.
constexpr int32_t HighestLevel(int bits) { return (int32_t{1} << (bits - 1)) - 1; }
constexpr int32_t LowestLevel(int bits) { return bits == 2 ? -2 : -HighestLevel(bits); }

// One symmetric scale for each channel: max|w| / HighestLevel(bits). A channel of zeros gets the largest scale of the
// tensor, so that the bias scale derived from it stays usable; 1 when all channels are zeros. A channel that was
// quantized before keeps its grid (weight_grid.h). InvalidArgument WEIGHTS_NOT_FINITE: a NaN or infinity; names its
// index.
// REQUIRES: layout's product == weights.size(); scales.size() == layout.channels; bits is 8, 4 or 2.
absl::Status ChooseWeightScales(absl::Span<const float> weights, ChannelLayout layout, absl::Span<float> scales,
                                int bits = 8);

// q = clamp(round_half_even(w / scale[c]), LowestLevel(bits), HighestLevel(bits)), one byte each.
// REQUIRES: as above, scales positive.
void QuantizeWeights(absl::Span<const float> weights, ChannelLayout layout, absl::Span<const float> scales,
                     absl::Span<int8_t> out, int bits = 8);

// int32 bias with scale input_scale * weight_scales[c]. Where |bias| / that scale would pass INT32_MAX / 2 (dead
// channels after batch-norm folding), weight_scales[c] is raised so that it does not (the MLIR converter's rule): the
// weights must be quantized after this call. The multiplier input_scale * weight_scales[c] / output_scale is kept at or
// above 2^-32, XNNPACK's lower bound, in the same way. `bias` may be empty: zeros.
// REQUIRES: out.size() == weight_scales.size(), bias empty or as long; values finite.
void QuantizeBias(absl::Span<const float> bias, float input_scale, float output_scale, absl::Span<float> weight_scales,
                  absl::Span<int32_t> out);

// The same for int16 activations: int64 bias. The bounds are the kernels': accumulators of 48 bits, of which the bias
// may take 45, and multipliers from 2^-31.
void QuantizeBias(absl::Span<const float> bias, float input_scale, float output_scale, absl::Span<float> weight_scales,
                  absl::Span<int64_t> out);

// IEEE binary16, round half to even, clamped to +-65504; NaN stays NaN.
void ToFloat16(absl::Span<const float> values, absl::Span<uint16_t> out);
void FromFloat16(absl::Span<const uint16_t> values, absl::Span<float> out);

// One float16 as a float; exact.
float FloatOfFloat16(uint16_t half);

// Blockwise scales as the file holds them: rounded to bfloat16 (half to even), which XNNPACK computes with, then as
// binary16, whose largest finite bfloat16 is 65280 and whose smallest normal is 2^-14; scales outside are moved to
// those. `scales` becomes what `out` says. REQUIRES: out.size() == scales.size(); scales positive.
void RoundToBlockScales(absl::Span<float> scales, absl::Span<uint16_t> out);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_QUANTIZE_H_
