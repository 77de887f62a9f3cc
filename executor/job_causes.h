#ifndef LATHE_EXECUTOR_JOB_CAUSES_H_
#define LATHE_EXECUTOR_JOB_CAUSES_H_

#include "common/status.h"
#include "executor/compare_models.h"
#include "optimizer/report/report.h"
#include "runtime/samples.h"

namespace lathe {

// Fills sqnr_db of the report's operators, and its causes, by a few of the samples: at a small part of what the job has
// run them for already. Large models are not looked at on synthetic samples: their jobs are too short for it. Operators
// that are not in the input file keep no figure. What the runtime refuses is a warning: the artifact has been verified
// without it. CANCELLED. DATA_INVALID as SampleSource. REQUIRES: the report's operators are b's; `samples` are a's and
// used by nobody else meanwhile.
absl::Status DescribeCauses(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                            const CompareModelsOptions& options, Report& report);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_JOB_CAUSES_H_
