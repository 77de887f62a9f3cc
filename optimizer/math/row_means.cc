#include "optimizer/math/row_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lathe::math {
namespace {

double Mean(const float* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum / static_cast<double>(count);
}

}  // namespace

RowMeans FindRowMeans(absl::Span<const float> values, size_t row) {
  RowMeans result;
  for (size_t start = 0; start < values.size(); start += row) {
    const double mean = Mean(values.data() + start, row);
    if (!std::isfinite(mean)) return {.largest_mean = 0, .magnitude = std::numeric_limits<double>::infinity()};
    result.largest_mean = std::max(result.largest_mean, std::fabs(mean));
    for (size_t i = start; i < start + row; ++i) {
      result.magnitude = std::max(result.magnitude, static_cast<double>(std::fabs(values[i])));
    }
  }
  return result;
}

void SubtractRowMeans(absl::Span<const float> values, size_t row, absl::Span<float> out) {
  for (size_t start = 0; start < values.size(); start += row) {
    const double mean = Mean(values.data() + start, row);
    for (size_t i = start; i < start + row; ++i) out[i] = static_cast<float>(static_cast<double>(values[i]) - mean);
  }
}

}  // namespace lathe::math
