#ifndef LATHE_TESTS_SUPPORT_PASS_PROPERTIES_H_
#define LATHE_TESTS_SUPPORT_PASS_PROPERTIES_H_

#include <functional>

#include "optimizer/model/model.h"
#include "optimizer/passes/pass.h"

namespace lathe {

// Ranges of [-1, 1] for every float activation of subgraph 0, as calibration on tame samples would give.
RangeTable UnitRanges(const Model& model);

// Runs the pass on `model` and expects what every pass promises: the result verifies; "unchanged" exactly when the dump
// is; a second run changes nothing; one and four threads give the same bytes; inputs, outputs and signatures keep
// names, types and order. (That outputs stay within the header's bound is tested on the runtime, in tests/executor.)
// Returns the result.
Model ExpectPassProperties(const Pass& pass, const Model& model);

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_PASS_PROPERTIES_H_
