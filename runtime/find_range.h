#ifndef LATHE_RUNTIME_FIND_RANGE_H_
#define LATHE_RUNTIME_FIND_RANGE_H_

#include "absl/types/span.h"
#include "optimizer/passes/ranges.h"

namespace lathe {

// Smallest and largest value, at memory speed. False when a value is NaN or infinite (`range` is then unspecified).
// REQUIRES: !values.empty().
bool FindRange(absl::Span<const float> values, TensorRange* range);

}  // namespace lathe

#endif  // LATHE_RUNTIME_FIND_RANGE_H_
