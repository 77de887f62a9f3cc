#ifndef LATHE_OPTIMIZER_MATH_ROW_KERNELS_H_
#define LATHE_OPTIMIZER_MATH_ROW_KERNELS_H_

// Loops over every weight of a model, written with vector instructions where the compiler's are several times slower
// than memory: without fast-math it may not reorder comparisons of floats. Same bits on every processor.

#include <cstdint>

#include "absl/types/span.h"

namespace lathe::math {

// The largest |value|; 0 for none. Not finite when any value is not.
float LargestMagnitude(absl::Span<const float> values);

// The least and the largest value. False, and then they say nothing, when any is NaN. REQUIRES: values are not empty.
bool FindExtremes(absl::Span<const float> values, float* least, float* largest);

// round(value / scale), half to even, clamped to [lowest, highest]. REQUIRES: out is as long as values; finite values;
// [lowest, highest] within int8.
void QuantizeRow(absl::Span<const float> values, float scale, int lowest, int highest, absl::Span<int8_t> out);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_ROW_KERNELS_H_
