#include "runtime/sample_loop.h"

#include <atomic>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace lathe {

namespace {

class Loop {
 public:
  Loop(SampleSource& samples, const SampleLoop& loop) : samples_(samples), loop_(loop) {}

  void RunWorker(const absl::StatusOr<SampleWork>& work) {
    if (!work.ok()) return Fail(work.status(), 0);
    Sample sample;
    while (!stop_) {
      if (absl::Status cancelled = loop_.cancel.Check(); !cancelled.ok()) return Fail(cancelled, 0);
      const absl::StatusOr<bool> more = samples_.Next(&sample);
      if (!more.ok()) return Fail(more.status(), sample.index);
      if (!*more) return;
      if (absl::Status status = (*work)(sample); !status.ok()) return Fail(status, sample.index);
      if (!loop_.done_one) continue;
      const std::lock_guard<std::mutex> lock(mutex_);
      loop_.done_one();
    }
  }

  absl::Status TakeError() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }

 private:
  void Fail(const absl::Status& status, size_t sample) {
    stop_ = true;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_.ok() && sample >= error_sample_) return;
    error_ = status;
    error_sample_ = sample;
  }

  SampleSource& samples_;
  const SampleLoop& loop_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;  // guards error_ and the callback
  absl::Status error_;
  size_t error_sample_ = std::numeric_limits<size_t>::max();
};

}  // namespace

absl::Status ForEachSample(SampleSource& samples, const SampleLoop& loop,
                           const std::function<absl::StatusOr<SampleWork>(int worker)>& make_work) {
  Loop state(samples, loop);
  std::mutex making;  // loading is not known to be safe from several threads at once
  const auto run = [&](int worker) {
    absl::StatusOr<SampleWork> work = [&] {
      const std::lock_guard<std::mutex> lock(making);
      return make_work(worker);
    }();
    state.RunWorker(work);
  };
  std::vector<std::thread> threads;
  for (int worker = 1; worker < loop.workers; ++worker) threads.emplace_back(run, worker);
  run(0);
  for (std::thread& thread : threads) thread.join();
  return state.TakeError();
}

}  // namespace lathe
