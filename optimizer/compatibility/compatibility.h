#ifndef LATHE_OPTIMIZER_COMPATIBILITY_COMPATIBILITY_H_
#define LATHE_OPTIMIZER_COMPATIBILITY_COMPATIBILITY_H_

#include "optimizer/model/model.h"
#include "optimizer/recipe/target.h"
#include "optimizer/report/compatibility_report.h"

namespace lathe {

// What of the model would run on the target, operator by operator, by the rules of target_rules.h: no device is asked,
// no weight is read. Operators of all subgraphs. Which share runs where:
//   cpu              accepted = by XNNPACK; the rest runs on the runtime's kernels, so that only custom operators make
//                    the model incompatible
//   gpu              accepted = by the GPU delegate; compatible = all of them
//   edge-tpu         accepted = mapped by the compiler, which stops at the first operator that it does not take: what
//                    follows that one stays on the CPU, whatever it is; compatible = all but conversions at the ends
//   microcontroller  accepted = there is a kernel; compatible = all of them
// REQUIRES: the model verifies.
CompatibilityReport CheckTarget(const Model& model, Target target);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_COMPATIBILITY_COMPATIBILITY_H_
