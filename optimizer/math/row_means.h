#ifndef LATHE_OPTIMIZER_MATH_ROW_MEANS_H_
#define LATHE_OPTIMIZER_MATH_ROW_MEANS_H_

#include <cstddef>

#include "absl/types/span.h"

namespace lathe::math {

// The largest |mean| of a row of `row` values, and the largest |value| of all. Sums are in double. A NaN or infinity
// anywhere makes `magnitude` not finite. REQUIRES: row > 0 divides values.size().
struct RowMeans {
  double largest_mean = 0;
  double magnitude = 0;
};
RowMeans FindRowMeans(absl::Span<const float> values, size_t row);

// out = values minus the mean of their row; the difference is rounded once, so what is left of a row's mean is at most
// 2^-24 of its largest value. REQUIRES: as above; out.size() == values.size(); out may be values.
void SubtractRowMeans(absl::Span<const float> values, size_t row, absl::Span<float> out);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_ROW_MEANS_H_
