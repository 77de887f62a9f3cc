#include "runtime/find_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "optimizer/math/row_kernels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lathe {

namespace {

// Extremes of columns: of values[row * width + column] for each column below `width`.
struct Columns {
  size_t width;
  float low[kChannelsMax], high[kChannelsMax];
  bool ordered = true;
};

void WidenColumn(Columns& columns, size_t column, float value) {
  columns.ordered &= !std::isnan(value);
  columns.low[column] = std::min(columns.low[column], value);
  columns.high[column] = std::max(columns.high[column], value);
}

// `count` whole rows from `values`. Four rows at a time, so that a column's extremes are read and written once for four
// values; the compiler makes compares and branches of the plain loop.
void WidenRows(const float* values, size_t count, Columns& columns) {
  const size_t width = columns.width;
  size_t row = 0;
#if defined(__SSE2__)
  const size_t vectors_end = width / 4 * 4;
  __m128 unordered = _mm_setzero_ps();
  for (; row + 4 <= count; row += 4) {
    const float* at = values + row * width;
    for (size_t column = 0; column < vectors_end; column += 4) {
      // Four rows at once look like no stream to the processor: the next four are asked for a line at a time.
      _mm_prefetch(reinterpret_cast<const char*>(at + 4 * width + 4 * column), _MM_HINT_T0);
      const __m128 a = _mm_loadu_ps(at + column), b = _mm_loadu_ps(at + width + column);
      const __m128 c = _mm_loadu_ps(at + 2 * width + column), d = _mm_loadu_ps(at + 3 * width + column);
      unordered = _mm_or_ps(unordered, _mm_or_ps(_mm_cmpunord_ps(a, b), _mm_cmpunord_ps(c, d)));
      const __m128 low = _mm_min_ps(_mm_min_ps(a, b), _mm_min_ps(c, d));
      const __m128 high = _mm_max_ps(_mm_max_ps(a, b), _mm_max_ps(c, d));
      _mm_storeu_ps(columns.low + column, _mm_min_ps(_mm_loadu_ps(columns.low + column), low));
      _mm_storeu_ps(columns.high + column, _mm_max_ps(_mm_loadu_ps(columns.high + column), high));
    }
    for (size_t column = vectors_end; column < width; ++column) {
      for (size_t i = 0; i < 4; ++i) WidenColumn(columns, column, at[i * width + column]);
    }
  }
  columns.ordered &= _mm_movemask_ps(unordered) == 0;
#endif
  for (; row < count; ++row) {
    for (size_t column = 0; column < width; ++column) WidenColumn(columns, column, values[row * width + column]);
  }
}

}  // namespace

bool FindRange(absl::Span<const float> values, TensorRange* range) {
  float low = 0, high = 0;
  const bool ordered = math::FindExtremes(values, &low, &high);
  // Adding zero makes -0 into 0, so that the bits do not depend on which of equal values came first.
  *range = {low + 0.0f, high + 0.0f};
  return ordered && std::isfinite(low) && std::isfinite(high);
}

bool FindChannelRanges(absl::Span<const float> values, absl::Span<TensorRange> channels, TensorRange* range) {
  // A few channels are repeated side by side, so that columns fill whole vectors.
  const size_t count = channels.size();
  const size_t repeats = count >= 16 ? 1 : 4 * ((3 + count) / count);
  Columns columns;
  columns.width = count * repeats;
  std::fill_n(columns.low, columns.width, std::numeric_limits<float>::infinity());
  std::fill_n(columns.high, columns.width, -std::numeric_limits<float>::infinity());
  const size_t rows = values.size() / columns.width;
  WidenRows(values.data(), rows, columns);
  for (size_t i = rows * columns.width; i < values.size(); ++i) WidenColumn(columns, i % columns.width, values[i]);
  *range = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (size_t column = 0; column < columns.width; ++column) {
    // As in FindRange: no -0.
    const float low = columns.low[column] + 0.0f, high = columns.high[column] + 0.0f;
    TensorRange& channel = channels[column % count];
    channel = {std::min(channel.min, low), std::max(channel.max, high)};
    *range = {std::min(range->min, low), std::max(range->max, high)};
  }
  return columns.ordered && std::isfinite(range->min) && std::isfinite(range->max);
}

}  // namespace lathe
