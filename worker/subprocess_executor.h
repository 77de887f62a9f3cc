#ifndef LATHE_WORKER_SUBPROCESS_EXECUTOR_H_
#define LATHE_WORKER_SUBPROCESS_EXECUTOR_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "common/metrics.h"
#include "worker/job_executor.h"

namespace lathe {

struct SubprocessExecutorOptions {
  std::string executor_path = "";  // lathe-executor
  int threads = 1;                 // per attempt
  std::chrono::milliseconds wall{std::chrono::hours(1)};
  uint64_t memory_bytes = uint64_t{4} << 30;
  uint64_t file_bytes = uint64_t{8} << 30;
};

// Runs each attempt in a lathe-executor: lathe.v1.JobSpec in, lathe.v1.JobResult out. Counts
// lathe_executor_exits_total.
class SubprocessExecutor final : public JobExecutor {
 public:
  SubprocessExecutor(SubprocessExecutorOptions options, Metrics& metrics);
  absl::StatusOr<JobProduct> Execute(const ClaimedJob& job, const std::function<void(std::string)>& on_progress,
                                     const CancelToken& cancel) override;

 private:
  SubprocessExecutorOptions options_;
  Metrics& metrics_;
};

}  // namespace lathe

#endif  // LATHE_WORKER_SUBPROCESS_EXECUTOR_H_
