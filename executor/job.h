#ifndef LATHE_EXECUTOR_JOB_H_
#define LATHE_EXECUTOR_JOB_H_

#include <string>

#include "common/cancel.h"
#include "common/status.h"
#include "executor/event_writer.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

// What every kind of work gets.
struct JobContext {
  std::string job_dir;  // absolute
  const internal::v1::ExecutorSpec& spec;
  EventWriter& events;
  CancelToken cancel;

  // A path that the spec names, inside the job directory. INVALID_ARGUMENT BAD_SPEC: absolute, or climbs out.
  absl::StatusOr<std::string> Path(const std::string& relative) const;
};

// Does the spec's work; errors are the job's own (bad model, nothing to do, ...). Model and data bytes are hostile:
// they are opened here and nowhere else.
absl::StatusOr<internal::v1::ExecutorResult> RunJob(const JobContext& context);

// One kind each.
absl::StatusOr<internal::v1::ExecutorResult> RunOptimize(const JobContext& context);
// Optimize with dry_run: a report of what the rules of the recipe take, nothing else.
absl::StatusOr<internal::v1::ExecutorResult> RunDryRun(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunBenchmark(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunCompare(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunInspect(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunDump(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunRecommend(const JobContext& context);
absl::StatusOr<internal::v1::ExecutorResult> RunPlan(const JobContext& context);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_JOB_H_
