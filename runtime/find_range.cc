#include "runtime/find_range.h"

#include <algorithm>
#include <cmath>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lathe {

bool FindRange(absl::Span<const float> values, TensorRange* range) {
  float low = values[0], high = values[0];
  bool ordered = !std::isnan(values[0]);
  size_t i = 0;
#if defined(__SSE2__)
  // Plain loops compile to a compare and a branch a value; this runs at memory speed. min and max drop NaN, so it is
  // looked for apart; infinities show in the result.
  if (values.size() >= 8) {
    __m128 low_a = _mm_loadu_ps(values.data()), high_a = low_a, low_b = low_a, high_b = low_a;
    __m128 unordered = _mm_setzero_ps();
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
  }
#endif
  for (; i < values.size(); ++i) {
    ordered &= !std::isnan(values[i]);
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  // Adding zero makes -0 into 0, so that the bits do not depend on which of equal values came first.
  *range = {low + 0.0f, high + 0.0f};
  return ordered && std::isfinite(low) && std::isfinite(high);
}

}  // namespace lathe
