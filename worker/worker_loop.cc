#include "worker/worker_loop.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "common/log.h"
#include "worker/attempt.h"
#include "worker/job_directory.h"

namespace lathe {
namespace {

// The store tells of queued jobs; this is the safety net, how often deadlines in the queue are looked at, and how late
// a job whose retry delay is over may be found.
constexpr std::chrono::seconds kPoll{1};

}  // namespace

class WorkerLoop::Impl {
 public:
  Impl(WorkerOptions options, const Attempt::Stores& stores) : options_(std::move(options)), stores_(stores) {}

  absl::Status Start();
  void StopClaiming();
  void Drain(std::chrono::milliseconds timeout);

 private:
  void RunSlot();
  void RunHousekeeping();
  std::shared_ptr<Attempt> NextAttempt();
  std::vector<std::shared_ptr<Attempt>> Running();

  const WorkerOptions options_;
  const Attempt::Stores stores_;
  std::vector<std::thread> slots_;
  std::thread housekeeping_;
  uint64_t subscription_ = 0;
  bool started_ = false;

  std::mutex mutex_;
  std::condition_variable queue_changed_;   // slots wait for it
  std::condition_variable progress_waits_;  // housekeeping waits for it
  std::condition_variable attempt_ended_;   // Drain waits for it
  uint64_t queue_version_ = 0;
  bool progress_due_ = false;
  bool draining_ = false;
  bool slots_ended_ = false;
  std::set<std::shared_ptr<Attempt>> running_;
};

absl::Status WorkerLoop::Impl::Start() {
  LATHE_RETURN_IF_ERROR(SweepJobDirectories(options_.jobs_dir));
  started_ = true;
  subscription_ = stores_.jobs.SubscribeQueue([this] {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++queue_version_;
    }
    queue_changed_.notify_all();
  });
  for (int i = 0; i < options_.slots; ++i) slots_.emplace_back([this] { RunSlot(); });
  housekeeping_ = std::thread([this] { RunHousekeeping(); });
  return absl::OkStatus();
}

// Waits for a job. nullptr: the worker stops.
std::shared_ptr<Attempt> WorkerLoop::Impl::NextAttempt() {
  while (true) {
    uint64_t version = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (draining_) return nullptr;
      version = queue_version_;
    }
    absl::StatusOr<std::vector<JobRecord>> claimed = stores_.jobs.Claim(options_.name, 1);
    if (!claimed.ok()) LogError("claim_failed", "no job can be claimed", claimed.status());
    std::unique_lock<std::mutex> lock(mutex_);
    if (claimed.ok() && !claimed->empty()) {
      auto attempt = std::make_shared<Attempt>(stores_, std::move(claimed->front()), options_.jobs_dir,
                                               Attempt::Pace{options_.progress_interval, options_.retry_delay}, [this] {
                                                 {
                                                   const std::lock_guard<std::mutex> inner(mutex_);
                                                   progress_due_ = true;
                                                 }
                                                 progress_waits_.notify_one();
                                               });
      running_.insert(attempt);
      // Claimed while Drain began: it is given back like the others when the time is over.
      return attempt;
    }
    // After an error the queue's version says nothing: wait the whole poll.
    queue_changed_.wait_for(lock, kPoll, [&] { return draining_ || (claimed.ok() && queue_version_ != version); });
  }
}

void WorkerLoop::Impl::RunSlot() {
  while (const std::shared_ptr<Attempt> attempt = NextAttempt()) {
    attempt->Run();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      running_.erase(attempt);
    }
    attempt_ended_.notify_all();
  }
}

std::vector<std::shared_ptr<Attempt>> WorkerLoop::Impl::Running() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {running_.begin(), running_.end()};
}

// Stores progress and expires jobs whose deadline passed in the queue, beside the slots: neither may hold up a job.
void WorkerLoop::Impl::RunHousekeeping() {
  auto next_expiry = std::chrono::steady_clock::now();
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto tick = std::min<std::chrono::milliseconds>(options_.progress_interval, kPoll);
      progress_waits_.wait_for(lock, tick, [&] { return slots_ended_ || progress_due_; });
      if (slots_ended_) return;
      progress_due_ = false;
    }
    for (const std::shared_ptr<Attempt>& attempt : Running()) attempt->FlushProgress();
    if (std::chrono::steady_clock::now() < next_expiry) continue;
    next_expiry = std::chrono::steady_clock::now() + kPoll;
    if (const auto expired = stores_.jobs.ExpireQueued(); !expired.ok()) {
      LogError("expiry_failed", "deadlines in the queue cannot be checked", expired.status());
    }
  }
}

void WorkerLoop::Impl::StopClaiming() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
  }
  queue_changed_.notify_all();
}

void WorkerLoop::Impl::Drain(std::chrono::milliseconds timeout) {
  if (!std::exchange(started_, false)) return;
  StopClaiming();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    attempt_ended_.wait_for(lock, timeout, [&] { return running_.empty(); });
  }
  // A slot between its claim and its attempt is not listed yet; it looks at draining_ before the next claim only.
  // Its attempt is ended by the loop below, which goes on until every slot has returned.
  std::thread ender([this] {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!slots_ended_) {
      for (const std::shared_ptr<Attempt>& attempt : running_) attempt->Drain();
      attempt_ended_.wait_for(lock, std::chrono::milliseconds(20));
    }
  });
  for (std::thread& slot : slots_) slot.join();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    slots_ended_ = true;
  }
  progress_waits_.notify_all();
  attempt_ended_.notify_all();
  ender.join();
  housekeeping_.join();
  stores_.jobs.Unsubscribe(subscription_);
}

WorkerLoop::WorkerLoop(WorkerOptions options, JobStore& jobs, Artifacts& artifacts, JobExecutor& executor,
                       Metrics& metrics, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), Attempt::Stores{jobs, artifacts, executor, metrics, clock})) {}

WorkerLoop::~WorkerLoop() { Drain(std::chrono::milliseconds(0)); }

absl::Status WorkerLoop::Start() { return impl_->Start(); }

void WorkerLoop::StopClaiming() { impl_->StopClaiming(); }

void WorkerLoop::Drain(std::chrono::milliseconds timeout) { impl_->Drain(timeout); }

}  // namespace lathe
