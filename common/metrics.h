#ifndef LATHE_COMMON_METRICS_H_
#define LATHE_COMMON_METRICS_H_

// Every metric of the product, declared in one place. Labels are bounded: rpc names, kinds, presets, states, reasons
// and codes of the contract; never a job, an artifact or free text of a user.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"

namespace lathe {

// Thread-safe. Label values that are not of the fixed vocabulary of their label (a preset that is no preset name is the
// caller's matter) are cut at 64 characters; after 1,000 different combinations of a family new ones count as "other".
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // lathe_rpc_in_flight; FinishRpc also counts lathe_rpc_requests_total and lathe_rpc_duration_seconds.
  void StartRpc();
  void FinishRpc(std::string_view service, std::string_view method, std::string_view code, double seconds);

  // lathe_jobs_submitted_total{kind,preset}
  void JobSubmitted(std::string_view kind, std::string_view preset);
  // lathe_jobs_finished_total{kind,preset,state,reason}; `reason` is "" for success.
  void JobFinished(std::string_view kind, std::string_view preset, std::string_view state, std::string_view reason);
  // lathe_job_queue_wait_seconds{kind}, lathe_job_run_seconds{kind}
  void JobStarted(std::string_view kind, double wait_seconds);
  void JobRan(std::string_view kind, double run_seconds);
  // lathe_executor_exits_total{outcome}
  void ExecutorExited(std::string_view outcome);
  // lathe_queue_depth, lathe_jobs_running: `counts` is asked at each scrape; it may block on a database, briefly. An
  // empty function ends it: after the return the old one is not running.
  struct Queue {
    int64_t queued = 0, running = 0;
  };
  void SetQueueSource(std::function<Queue()> counts);

  // lathe_upload_bytes_total, lathe_download_bytes_total
  void AddUploadBytes(uint64_t bytes);
  void AddDownloadBytes(uint64_t bytes);

  // All families in the text format 0.0.4.
  std::string Text() const;

  // Serves /metrics on HOST:PORT (port 0 takes any) until destruction and returns the HOST:PORT it listens on.
  // UNAVAILABLE LISTEN_FAILED: the address cannot be bound. REQUIRES: not called before.
  absl::StatusOr<std::string> Serve(const std::string& address);

 private:
  struct Families;
  std::shared_ptr<Families> families_;  // shared with the exposer, which keeps weak references
};

}  // namespace lathe

#endif  // LATHE_COMMON_METRICS_H_
