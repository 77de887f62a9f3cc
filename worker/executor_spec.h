#ifndef LATHE_WORKER_EXECUTOR_SPEC_H_
#define LATHE_WORKER_EXECUTOR_SPEC_H_

#include "common/status.h"
#include "lathe/internal/v1/executor.pb.h"
#include "lathe/v1/job.pb.h"
#include "worker/subprocess_executor.h"

namespace lathe {

// A stored job as the executor's work. Artifacts become input/DIGEST. Budgets of the job that are set win where they
// are lower than the options'. UNIMPLEMENTED KIND_UNIMPLEMENTED: the job's kind is none of this version's.
absl::StatusOr<internal::v1::ExecutorSpec> MakeExecutorSpec(const v1::JobSpec& job,
                                                            const SubprocessExecutorOptions& options);

}  // namespace lathe

#endif  // LATHE_WORKER_EXECUTOR_SPEC_H_
