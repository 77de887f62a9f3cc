#ifndef LATHE_WORKER_JOB_EXECUTOR_H_
#define LATHE_WORKER_JOB_EXECUTOR_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "storage/job_store.h"

namespace lathe {

// One attempt of one job, ready to run.
struct ClaimedJob {
  const JobRecord& record;
  // Exists and is empty but for input/, where every input of the record lies under its digest (read-only).
  std::string job_dir;
  // Until the job's deadline; max() when it has none.
  std::chrono::milliseconds time_left = std::chrono::milliseconds::max();
};

// A file that an attempt made.
struct JobOutput {
  std::string role;  // model
  std::string path;  // in the job directory
  int kind = 0;      // lathe.v1.ArtifactKind
  std::string media_type;
};

// An output after it was published.
struct PublishedOutput {
  std::string role, sha256;
  uint64_t size_bytes = 0;
};

// What an attempt leaves that did its work.
struct JobProduct {
  std::vector<JobOutput> outputs;
  // Makes the job's stored result once the outputs have their digests, in the order of `outputs`.
  std::function<std::string(const std::vector<PublishedOutput>&)> result;
  // Not OK: the job is FAILED with this error all the same, and keeps outputs and result (an unmet gate).
  absl::Status verdict = absl::OkStatus();
};

// Runs attempts. Decorators wrap it. Thread-safe: several attempts run at once.
class JobExecutor {
 public:
  virtual ~JobExecutor() = default;
  // Blocks until the attempt is over; nothing of it runs afterwards. `on_progress` takes serialized lathe.v1.Progress,
  // from any thread but not after the return. CANCELLED when `cancel` was set in time. INTERNAL EXECUTOR_CRASHED: the
  // attempt died in a way that may not repeat. Other errors: the job's own.
  virtual absl::StatusOr<JobProduct> Execute(const ClaimedJob& job, const std::function<void(std::string)>& on_progress,
                                             const CancelToken& cancel) = 0;
};

}  // namespace lathe

#endif  // LATHE_WORKER_JOB_EXECUTOR_H_
