#include "optimizer/math/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "common/parallel.h"
#include "optimizer/math/row_kernels.h"
#include "optimizer/math/weight_grid.h"

namespace lathe::math {
namespace {

// Elements a task handles: large enough that scheduling costs nothing, small enough for two cores to share a layer.
constexpr size_t kGrain = size_t{1} << 16;

// std::lrint is one instruction here (-fno-math-errno) and rounds half to even.
int32_t RoundClamp(float value, int32_t lo, int32_t hi) {
  const float clamped = std::min(std::max(value, static_cast<float>(lo)), static_cast<float>(hi));
  return static_cast<int32_t>(std::lrintf(clamped));
}

uint16_t HalfFromFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);   // NaN
  if (magnitude >= 0x477fe000u) return static_cast<uint16_t>(sign | 0x7bffu);  // 65504 and above, infinity
  if (magnitude < 0x38800000u) {
    // Below 2^-14: subnormal in binary16, a multiple of 2^-24. Adding 0.5 lets the float unit round half to even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  const uint32_t rounded = magnitude + 0xc8000fffu + odd;  // exponent bias 127 -> 15, round half to even
  return static_cast<uint16_t>(sign | std::min(rounded >> 13, 0x7bffu));
}

float FloatFromHalf(uint16_t half) {
  const uint32_t sign = (uint32_t{half} & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude < 0x400u) {
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000u));
}

// NaN when either is.
float Larger(float a, float b) { return std::isnan(a) || a >= b ? a : b; }

// `largest`: of each channel, not finite where a weight of it is not. Names the first such weight.
absl::Status CheckFinite(absl::Span<const float> weights, absl::Span<const float> largest) {
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (std::all_of(largest.begin(), largest.end(), is_finite)) return absl::OkStatus();
  const auto found = std::find_if_not(weights.begin(), weights.end(), is_finite);
  return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                   absl::StrFormat("weight %d is %f; weights must be finite", found - weights.begin(), *found));
}

// What an integer type of bias allows: |bias| / scale at most, and the least multiplier that its kernels take.
struct BiasLimits {
  double bias_max, multiplier_min;
};

template <typename T>
void QuantizeBiasTo(BiasLimits limits, absl::Span<const float> bias, float input_scale, float output_scale,
                    absl::Span<float> weight_scales, absl::Span<T> out) {
  for (size_t c = 0; c < weight_scales.size(); ++c) {
    const double value = bias.empty() ? 0.0 : static_cast<double>(bias[c]);
    // Upwards by one ulp where rounding to float would land below the bound again.
    auto raise_to = [&](double wanted) {
      if (static_cast<double>(weight_scales[c]) >= wanted) return;
      weight_scales[c] = static_cast<float>(wanted);
      if (static_cast<double>(weight_scales[c]) < wanted) {
        weight_scales[c] = std::nextafter(weight_scales[c], std::numeric_limits<float>::max());
      }
    };
    raise_to(std::fabs(value) / limits.bias_max / input_scale);
    raise_to(limits.multiplier_min * static_cast<double>(output_scale) / input_scale);
    // The kernels multiply in float; the file's bias scale is this product.
    const float scale = input_scale * weight_scales[c];
    out[c] = static_cast<T>(std::clamp(std::nearbyint(value / scale), -limits.bias_max, limits.bias_max));
  }
}

}  // namespace

AffineParams ChooseInt8Params(float lo, float hi) {
  lo = std::min(lo, 0.0f);
  hi = std::max(hi, 0.0f);
  // In double: hi - lo of two finite floats may pass the largest float.
  const double range = std::max<double>(static_cast<double>(hi) - lo, kActivationRangeMin);
  const double scale = std::min<double>(range / 255.0, std::numeric_limits<float>::max());
  AffineParams params;
  params.scale = static_cast<float>(scale);
  const double zero_point = std::nearbyint(-128.0 - static_cast<double>(lo) / params.scale);
  params.zero_point = static_cast<int32_t>(std::clamp(zero_point, -128.0, 127.0));
  return params;
}

AffineParams ChooseInt16Params(float lo, float hi) {
  const double largest = std::max(std::fabs(static_cast<double>(lo)), std::fabs(static_cast<double>(hi)));
  return {.scale = static_cast<float>(std::max<double>(largest, kActivationRangeMin16) / 32767.0), .zero_point = 0};
}

void QuantizeInt16(absl::Span<const float> values, float scale, absl::Span<int16_t> out) {
  for (size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<int16_t>(RoundClamp(values[i] / scale, -32767, 32767));
  }
}

void QuantizeInt8(absl::Span<const float> values, AffineParams params, absl::Span<int8_t> out) {
  ParallelForRanges(values.size(), kGrain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const float q = std::nearbyint(values[i] / params.scale) + static_cast<float>(params.zero_point);
      out[i] = static_cast<int8_t>(RoundClamp(q, -128, 127));
    }
  });
}

MinMax FindMinMax(absl::Span<const float> values) {
  if (values.empty()) return {};
  MinMax range;
  if (!FindExtremes(values, &range.lo, &range.hi)) range.lo = std::numeric_limits<float>::quiet_NaN();
  return range;
}

absl::Status ChooseWeightScales(absl::Span<const float> weights, ChannelLayout layout, absl::Span<float> scales,
                                int bits) {
  std::fill(scales.begin(), scales.end(), 0.0f);
  const auto channels = static_cast<size_t>(layout.channels), inner = static_cast<size_t>(layout.inner);
  if (layout.inner > 1 || layout.outer == 1) {
    ParallelForRanges(channels, std::max<size_t>(1, kGrain / std::max<size_t>(inner, 1)),
                      [&](size_t begin, size_t end) {
                        for (size_t c = begin; c < end; ++c) {
                          for (size_t o = 0; o < static_cast<size_t>(layout.outer); ++o) {
                            const float largest = LargestMagnitude(weights.subspan((o * channels + c) * inner, inner));
                            scales[c] = Larger(scales[c], largest);
                          }
                        }
                      });
  } else {
    // Channels innermost (depthwise): walk the rows, all channels at once, so that memory is read in order.
    for (size_t o = 0; o < static_cast<size_t>(layout.outer); ++o) {
      const float* row = weights.data() + o * channels;
      for (size_t c = 0; c < channels; ++c) {
        const float magnitude = std::fabs(row[c]);
        scales[c] = Larger(scales[c], magnitude);
      }
    }
  }
  LATHE_RETURN_IF_ERROR(CheckFinite(weights, scales));
  float largest = 0;
  for (float& scale : scales) {
    scale /= static_cast<float>(HighestLevel(bits));
    if (!std::isnormal(scale)) scale = 0;  // XNNPACK refuses subnormal scales
    largest = std::max(largest, scale);
  }
  if (largest == 0) largest = 1;
  for (float& scale : scales) {
    if (scale == 0) scale = largest;
  }
  KeepGrids(weights, layout, HighestLevel(bits), scales);
  return absl::OkStatus();
}

void QuantizeWeights(absl::Span<const float> weights, ChannelLayout layout, absl::Span<const float> scales,
                     absl::Span<int8_t> out, int bits) {
  const auto channels = static_cast<size_t>(layout.channels), inner = static_cast<size_t>(layout.inner);
  const int32_t lowest = LowestLevel(bits), highest = HighestLevel(bits);
  if (inner == 1) {
    const auto rows = static_cast<size_t>(layout.outer);
    ParallelForRanges(rows, std::max<size_t>(1, kGrain / channels), [&](size_t begin, size_t end) {
      for (size_t i = begin * channels; i < end * channels; i += channels) {
        for (size_t c = 0; c < channels; ++c) {
          out[i + c] = static_cast<int8_t>(RoundClamp(weights[i + c] / scales[c], lowest, highest));
        }
      }
    });
    return;
  }
  const size_t rows = static_cast<size_t>(layout.outer) * channels;
  ParallelForRanges(rows, std::max<size_t>(1, kGrain / inner), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      QuantizeRow(weights.subspan(row * inner, inner), scales[row % channels], lowest, highest,
                  out.subspan(row * inner, inner));
    }
  });
}

void QuantizeBias(absl::Span<const float> bias, float input_scale, float output_scale, absl::Span<float> weight_scales,
                  absl::Span<int32_t> out) {
  constexpr double kBiasMax = std::numeric_limits<int32_t>::max() / 2;
  QuantizeBiasTo({.bias_max = kBiasMax, .multiplier_min = 0x1p-32}, bias, input_scale, output_scale, weight_scales,
                 out);
}

void QuantizeBias(absl::Span<const float> bias, float input_scale, float output_scale, absl::Span<float> weight_scales,
                  absl::Span<int64_t> out) {
  QuantizeBiasTo({.bias_max = 0x1p45, .multiplier_min = 0x1p-31}, bias, input_scale, output_scale, weight_scales, out);
}

void ToFloat16(absl::Span<const float> values, absl::Span<uint16_t> out) {
  ParallelForRanges(values.size(), kGrain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) out[i] = HalfFromFloat(values[i]);
  });
}

void FromFloat16(absl::Span<const uint16_t> values, absl::Span<float> out) {
  ParallelForRanges(values.size(), kGrain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) out[i] = FloatFromHalf(values[i]);
  });
}

float FloatOfFloat16(uint16_t half) { return FloatFromHalf(half); }

void RoundToBlockScales(absl::Span<float> scales, absl::Span<uint16_t> out) {
  for (size_t i = 0; i < scales.size(); ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(scales[i]);
    const float rounded = std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
    scales[i] = std::clamp(rounded, 0x1p-14f, 65280.0f);
    out[i] = HalfFromFloat(scales[i]);
  }
}

}  // namespace lathe::math
