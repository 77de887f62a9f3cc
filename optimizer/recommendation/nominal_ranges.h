#ifndef LATHE_OPTIMIZER_RECOMMENDATION_NOMINAL_RANGES_H_
#define LATHE_OPTIMIZER_RECOMMENDATION_NOMINAL_RANGES_H_

#include "optimizer/model/model.h"
#include "optimizer/passes/ranges.h"

namespace lathe {

// Ranges for every float activation of subgraph 0 as calibration would give them, but made up: what of full-integer
// quantization does not hang on the samples (which operators become integer, where conversions stand, how large the
// file gets) comes out the same. Clamped and squashed results have the range that their kind has; operators that hand
// values on hand their range on; all others get a range of their own about zero, no two alike, because tensors that
// share a grid by chance would share conversions.
RangeTable NominalRanges(const Model& model);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECOMMENDATION_NOMINAL_RANGES_H_
