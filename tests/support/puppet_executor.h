#ifndef LATHE_TESTS_SUPPORT_PUPPET_EXECUTOR_H_
#define LATHE_TESTS_SUPPORT_PUPPET_EXECUTOR_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "worker/job_executor.h"

namespace lathe {

// An executor whose test says what each attempt does. Attempts without a script wait until they get one or are
// cancelled. Thread-safe.
class PuppetExecutor final : public JobExecutor {
 public:
  using Script = std::function<absl::StatusOr<JobProduct>(
      const ClaimedJob& job, const std::function<void(std::string)>& on_progress, const CancelToken& cancel)>;

  // The next attempt that starts (or waits already) runs this.
  void Next(Script script) {
    const std::lock_guard<std::mutex> lock(mutex_);
    scripts_.push_back(std::move(script));
    changed_.notify_all();
  }
  void NextFails(absl::Status status) {
    Next([status](const ClaimedJob&, const std::function<void(std::string)>&, const CancelToken&) { return status; });
  }
  // Succeeds without outputs; the job's result is `result`.
  void NextSucceeds(std::string result) {
    Next([result](const ClaimedJob&, const std::function<void(std::string)>&,
                  const CancelToken&) -> absl::StatusOr<JobProduct> {
      return JobProduct{.outputs = {}, .result = [result](const auto&) { return result; }};
    });
  }
  // Blocks until `count` attempts have started since construction.
  void WaitForStarts(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return started_ >= count; });
  }

  absl::StatusOr<JobProduct> Execute(const ClaimedJob& job, const std::function<void(std::string)>& on_progress,
                                     const CancelToken& cancel) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++started_;
    changed_.notify_all();
    while (scripts_.empty()) {
      LATHE_RETURN_IF_ERROR(cancel.Check());
      changed_.wait_for(lock, std::chrono::milliseconds(5));  // the token cannot wake anybody
    }
    const Script script = std::move(scripts_.front());
    scripts_.pop_front();
    lock.unlock();
    return script(job, on_progress, cancel);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Script> scripts_;
  int started_ = 0;
};

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_PUPPET_EXECUTOR_H_
