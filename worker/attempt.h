#ifndef LATHE_WORKER_ATTEMPT_H_
#define LATHE_WORKER_ATTEMPT_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "common/cancel.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "storage/artifacts.h"
#include "storage/job_store.h"
#include "worker/job_executor.h"
#include "worker/outcome.h"

namespace lathe {

// One claimed job on its way to its end. Run is called once, on one thread; the other calls come from any.
class Attempt {
 public:
  struct Stores {
    JobStore& jobs;
    Artifacts& artifacts;
    JobExecutor& executor;
    Metrics& metrics;
    const Clock& clock;
  };
  // As in WorkerOptions.
  struct Pace {
    std::chrono::milliseconds progress_interval, retry_delay;
  };
  // `progress_waits` is called when progress came that FlushProgress could store now.
  Attempt(const Stores& stores, JobRecord job, std::string jobs_dir, const Pace& pace,
          std::function<void()> progress_waits);
  ~Attempt();

  // From staging to the write that ends the attempt. Every error ends in that write or, when the lease was lost or the
  // store stays away, in the log.
  void Run();

  // The worker stops: ends the executor, and gives the job back.
  void Drain();

  // Stores the latest progress unless the last one was stored less than the interval ago.
  void FlushProgress();

 private:
  absl::StatusOr<std::string> Work();
  absl::StatusOr<std::string> PublishOutputs(const std::string& job_dir, const JobProduct& product);
  void OnProgress(std::string progress);
  void OnChange(const JobChange& change);
  void Finish(const absl::StatusOr<std::string>& result);
  // Complete or Release.
  absl::Status Write(const Verdict& verdict);
  // Repeats `write` while the store is away, up to about a minute.
  absl::Status Insist(const std::function<absl::Status()>& write);
  bool DeadlinePassed() const;

  const Stores stores_;
  const JobRecord job_;
  const std::string jobs_dir_;
  const Pace pace_;
  const std::function<void()> progress_waits_;
  const CancelToken cancel_;
  std::atomic<bool> drained_{false};
  absl::Status verdict_;  // JobProduct::verdict; of Run's thread
  std::atomic<bool> lost_{false};

  std::mutex mutex_;
  std::optional<std::string> progress_;  // not stored yet
  std::optional<std::chrono::steady_clock::time_point> progress_stored_;
};

}  // namespace lathe

#endif  // LATHE_WORKER_ATTEMPT_H_
