#ifndef LATHE_WORKER_WORKER_LOOP_H_
#define LATHE_WORKER_WORKER_LOOP_H_

#include <chrono>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/status.h"
#include "storage/artifacts.h"
#include "storage/job_store.h"
#include "worker/job_executor.h"

namespace lathe {

struct WorkerOptions {
  std::string name;      // shown in jobs, e.g. HOST:PID
  std::string jobs_dir;  // job directories are made here and always removed again
  int slots = 1;         // attempts at once; 0: runs nothing, but sweeps and expires
  // Progress of a job is stored at most this often; what comes faster is replaced by what comes later.
  std::chrono::milliseconds progress_interval{500};
  // Before the second attempt of a job whose executor crashed; doubled for each further one. 0: at once.
  std::chrono::milliseconds retry_delay{5000};
};

// Takes jobs from the queue and runs up to `slots` of them at once, each on a thread of its own:
// claim -> stage inputs -> execute -> publish outputs -> Complete. Retries attempts that ended in EXECUTOR_CRASHED,
// after a delay, until the job's max_attempts are used up; every other error is final. A cancelled job's executor is
// ended at once. Slots wait for the store's word that a job is queued, and look by themselves once a second.
// Nothing of an attempt that did not succeed is published, and no job directory is left over.
// All references must outlive the object. Start, Drain and destruction on one thread.
class WorkerLoop {
 public:
  WorkerLoop(WorkerOptions options, JobStore& jobs, Artifacts& artifacts, JobExecutor& executor, Metrics& metrics,
             const Clock& clock);
  // As Drain(0).
  ~WorkerLoop();
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  // Removes job directories that an earlier process left, then begins to claim. The caller has called RequeueRunning.
  absl::Status Start();

  // Claims nothing from now on; what runs goes on. Drain does it, too. Any thread.
  void StopClaiming();

  // Stops claiming, waits up to `timeout` for running attempts, ends the rest and gives their jobs back to the queue
  // with the attempt not counted. On return nothing runs any more. A second call does nothing.
  void Drain(std::chrono::milliseconds timeout);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lathe

#endif  // LATHE_WORKER_WORKER_LOOP_H_
