#include "optimizer/math/row_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lathe::math {
namespace {

// Without its sign a float orders as its bits do, and whatever is not finite comes last.
uint32_t MagnitudeBits(float value) { return std::bit_cast<uint32_t>(value) & 0x7fffffffu; }

#if defined(__SSE2__)
__m128i Largest(__m128i a, __m128i b) {
  const __m128i greater = _mm_cmpgt_epi32(a, b);
  return _mm_or_si128(_mm_and_si128(greater, a), _mm_andnot_si128(greater, b));
}
#endif

}  // namespace

float LargestMagnitude(absl::Span<const float> values) {
  uint32_t largest = 0;
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i mask = _mm_set1_epi32(0x7fffffff);
  __m128i a = _mm_setzero_si128(), b = a;
  for (; i + 8 <= values.size(); i += 8) {
    a = Largest(a, _mm_and_si128(mask, _mm_castps_si128(_mm_loadu_ps(values.data() + i))));
    b = Largest(b, _mm_and_si128(mask, _mm_castps_si128(_mm_loadu_ps(values.data() + i + 4))));
  }
  uint32_t lanes[4];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), Largest(a, b));
  largest = *std::max_element(lanes, lanes + 4);
#endif
  for (; i < values.size(); ++i) largest = std::max(largest, MagnitudeBits(values[i]));
  return std::bit_cast<float>(largest);
}

bool FindExtremes(absl::Span<const float> values, float* least, float* largest) {
  float low = values[0], high = values[0];
  bool ordered = true;
  size_t i = 0;
#if defined(__SSE2__)
  __m128 low_a = _mm_set1_ps(low), low_b = low_a, high_a = low_a, high_b = low_a, unordered = _mm_setzero_ps();
  for (; i + 8 <= values.size(); i += 8) {
    const __m128 a = _mm_loadu_ps(values.data() + i), b = _mm_loadu_ps(values.data() + i + 4);
    low_a = _mm_min_ps(low_a, a);
    low_b = _mm_min_ps(low_b, b);
    high_a = _mm_max_ps(high_a, a);
    high_b = _mm_max_ps(high_b, b);
    unordered = _mm_or_ps(unordered, _mm_cmpunord_ps(a, b));
  }
  float lows[4], highs[4];
  _mm_storeu_ps(lows, _mm_min_ps(low_a, low_b));
  _mm_storeu_ps(highs, _mm_max_ps(high_a, high_b));
  low = *std::min_element(lows, lows + 4);
  high = *std::max_element(highs, highs + 4);
  ordered = _mm_movemask_ps(unordered) == 0;
#endif
  for (; i < values.size(); ++i) {
    ordered = ordered && !std::isnan(values[i]);
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  *least = low;
  *largest = high;
  return ordered && !std::isnan(low);
}

void QuantizeRow(absl::Span<const float> values, float scale, int lowest, int highest, absl::Span<int8_t> out) {
  const auto low = static_cast<float>(lowest), high = static_cast<float>(highest);
  size_t i = 0;
#if defined(__SSE2__)
  const __m128 divisor = _mm_set1_ps(scale), lows = _mm_set1_ps(low), highs = _mm_set1_ps(high);
  const auto four = [&](size_t at) {
    const __m128 level = _mm_div_ps(_mm_loadu_ps(values.data() + at), divisor);
    return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(level, lows), highs));
  };
  for (; i + 16 <= values.size(); i += 16) {
    const __m128i first = _mm_packs_epi32(four(i), four(i + 4)), second = _mm_packs_epi32(four(i + 8), four(i + 12));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data() + i), _mm_packs_epi16(first, second));
  }
#endif
  for (; i < values.size(); ++i) {
    out[i] = static_cast<int8_t>(std::lrintf(std::min(std::max(values[i] / scale, low), high)));
  }
}

}  // namespace lathe::math
