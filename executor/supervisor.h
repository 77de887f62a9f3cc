#ifndef LATHE_EXECUTOR_SUPERVISOR_H_
#define LATHE_EXECUTOR_SUPERVISOR_H_

// The parent's side of an executor: starts one as a child process for one attempt, reads its events, enforces limits,
// ends it, and says what came of it. Knows processes and the job directory; no queue, no RPC, no model bytes.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "common/cancel.h"
#include "common/status.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

struct ExecutorLimits {
  std::chrono::milliseconds wall{std::chrono::hours(1)};
  uint64_t memory_bytes = uint64_t{4} << 30;   // resident size, polled; address space is capped at 4x of it
  uint64_t file_bytes = uint64_t{8} << 30;     // largest file the child may write (RLIMIT_FSIZE)
  std::chrono::milliseconds kill_grace{5000};  // between SIGTERM and SIGKILL on cancel
};

struct ExecutorLaunch {
  std::string executor_path;        // lathe-executor; FindExecutor() gives the one beside this program
  std::string job_dir;              // exists; holds input/; spec.pb and out/ are made here
  internal::v1::ExecutorSpec spec;  // build_id is filled in
  ExecutorLimits limits;
};

// How the child ended, for metrics: ok, failed (a clean error), crashed, memory, timeout, cancelled, refused.
struct ExecutorExit {
  std::string outcome;
  uint64_t peak_rss_bytes = 0;
};

// Runs one attempt to its end; blocks. `on_progress` is called from this thread. The result's own error (bad model,
// NOTHING_TO_DO, ...) comes back as that status. Other errors:
//   INTERNAL EXECUTOR_CRASHED: the message names the signal or exit code and holds the last 20 lines of its output.
//   RESOURCE_EXHAUSTED MEMORY_BUDGET, DEADLINE_EXCEEDED TIME_BUDGET: which limit, what it was.
//   RESOURCE_EXHAUSTED FILE_BUDGET: it wrote a file above file_bytes.
//   CANCELLED CANCELLED; a job that had just finished when it was cancelled returns its result instead.
//   FAILED_PRECONDITION BUILD_MISMATCH: both build ids. NOT_FOUND EXECUTOR_MISSING: the path.
// On every return the child and its process group are gone. Thread-safe; many may run at once.
absl::StatusOr<internal::v1::ExecutorResult> RunExecutor(
    const ExecutorLaunch& launch, const std::function<void(const internal::v1::ExecutorEvent::Progress&)>& on_progress,
    const CancelToken& cancel, ExecutorExit* exit);

// The lathe-executor beside the running program, or `override_path` when it is not empty.
absl::StatusOr<std::string> FindExecutor(const std::string& override_path);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_SUPERVISOR_H_
