#ifndef LATHE_EXECUTOR_EVENT_WRITER_H_
#define LATHE_EXECUTOR_EVENT_WRITER_H_

#include <cstdint>
#include <mutex>
#include <string>

#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

// Tells the parent how far the job is. A parent that no longer reads is no error: the job goes on, and the parent's
// limits end it if it must end. Thread-safe.
class EventWriter {
 public:
  explicit EventWriter(int fd) : fd_(fd) {}

  void Hello();
  // Starts a phase (the fixed vocabulary of executor.proto) that covers the fractions [from, to] of the job.
  void BeginPhase(const std::string& phase, double from, double to, const std::string& pass = "");
  // Within the phase. Sent at most twice a second: samples can be many.
  void Samples(uint64_t done, uint64_t total);

 private:
  void Send(const internal::v1::ExecutorEvent& event);
  internal::v1::ExecutorEvent ProgressEvent(double fraction);

  const int fd_;
  std::mutex mutex_;
  std::string phase_, pass_;
  double from_ = 0, to_ = 0, sent_ = 0;
  int64_t sent_at_ms_ = 0;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_EVENT_WRITER_H_
