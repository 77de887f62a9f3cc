#ifndef LATHE_EXECUTOR_TARGET_CHECK_H_
#define LATHE_EXECUTOR_TARGET_CHECK_H_

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"

namespace lathe {

// Fills report.compatibility for the quantized model, and holds it to the recipe's target. What the target's CPU has to
// run is a warning that gives the shares. FailedPrecondition TARGET_REFUSES, naming operators and reasons: the
// microcontroller lacks a kernel; the Edge TPU would run nothing, or its compiler would not take the file at all
// (dynamic shapes, float operators besides QUANTIZE and DEQUANTIZE at the ends).
absl::Status CheckAgainstTargets(const Recipe& recipe, const Model& output, Report& report);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_TARGET_CHECK_H_
