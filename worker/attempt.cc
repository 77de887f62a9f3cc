#include "worker/attempt.h"

#include <condition_variable>
#include <random>
#include <utility>

#include "common/log.h"
#include "worker/job_directory.h"

namespace lathe {
namespace {

bool IsAway(const absl::Status& status) { return ReasonOf(status) == "STORAGE_UNAVAILABLE"; }

// -1..1, spread over the tokens: jobs that failed together do not come back together.
double JitterOf(int64_t token) {
  std::minstd_rand generator(static_cast<std::minstd_rand::result_type>(token));
  return std::uniform_real_distribution<double>(-1, 1)(generator);
}

double Seconds(int64_t micros) { return static_cast<double>(micros) / 1e6; }

}  // namespace

Attempt::Attempt(const Stores& stores, JobRecord job, std::string jobs_dir, const Pace& pace,
                 std::function<void()> progress_waits)
    : stores_(stores),
      job_(std::move(job)),
      jobs_dir_(std::move(jobs_dir)),
      pace_(pace),
      progress_waits_(std::move(progress_waits)) {}

Attempt::~Attempt() = default;

void Attempt::Run() {
  const auto started = stores_.clock.Monotonic();
  if (job_.attempt == 1) {
    stores_.metrics.JobStarted(job_.kind, Seconds(job_.start_time_micros - job_.create_time_micros));
  }
  Log(LogLevel::kInfo, "job_started", "attempt began",
      {{"job", job_.key.id}, {"project", job_.key.project}, {"attempt", job_.attempt}, {"token", job_.token}});
  const uint64_t subscription = stores_.jobs.Subscribe(job_.key, [this](const JobChange& change) { OnChange(change); });
  absl::StatusOr<std::string> result = Work();
  stores_.jobs.Unsubscribe(subscription);
  stores_.metrics.JobRan(job_.kind, std::chrono::duration<double>(stores_.clock.Monotonic() - started).count());
  Finish(result);
}

void Attempt::Drain() {
  drained_ = true;
  cancel_.Cancel();
}

void Attempt::OnChange(const JobChange& change) {
  if (change.state == JobState::kCancelling) cancel_.Cancel();
}

absl::StatusOr<std::string> Attempt::Work() {
  // A cancellation between the claim and the subscription told nobody.
  LATHE_ASSIGN_OR_RETURN(const JobRecord now, stores_.jobs.Get(job_.key));
  if (now.cancel_requested) cancel_.Cancel();
  LATHE_RETURN_IF_ERROR(cancel_.Check());
  LATHE_ASSIGN_OR_RETURN(const auto directory, JobDirectory::Make(jobs_dir_, job_, stores_.artifacts.store()));
  ClaimedJob claimed{.record = job_, .job_dir = directory->path()};
  if (job_.deadline_micros != 0) {
    const auto left = std::chrono::microseconds(job_.deadline_micros - stores_.clock.NowMicros());
    claimed.time_left = std::chrono::duration_cast<std::chrono::milliseconds>(left);
  }
  LATHE_ASSIGN_OR_RETURN(const JobProduct product,
                         stores_.executor.Execute(
                             claimed, [this](std::string progress) { OnProgress(std::move(progress)); }, cancel_));
  verdict_ = product.verdict;
  return PublishOutputs(directory->path(), product);
}

absl::StatusOr<std::string> Attempt::PublishOutputs(const std::string& job_dir, const JobProduct& product) {
  std::vector<PublishedOutput> published;
  for (const JobOutput& output : product.outputs) {
    ArtifactRecord artifact;
    artifact.project = job_.key.project;
    artifact.kind = output.kind;
    artifact.media_type = output.media_type;
    artifact.producer_job = job_.key.id;
    LATHE_ASSIGN_OR_RETURN(artifact, stores_.artifacts.PublishFile(job_dir + "/" + output.path, std::move(artifact)));
    published.push_back({.role = output.role, .sha256 = artifact.sha256, .size_bytes = artifact.size_bytes});
  }
  return product.result(published);
}

void Attempt::OnProgress(std::string progress) {
  bool due = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    progress_ = std::move(progress);
    due = !progress_stored_ || stores_.clock.Monotonic() - *progress_stored_ >= pace_.progress_interval;
  }
  if (due) progress_waits_();
}

void Attempt::FlushProgress() {
  std::string progress;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto now = stores_.clock.Monotonic();
    if (!progress_ || (progress_stored_ && now - *progress_stored_ < pace_.progress_interval)) return;
    progress = *std::exchange(progress_, std::nullopt);
    progress_stored_ = now;
  }
  const absl::StatusOr<bool> cancel = stores_.jobs.UpdateProgress(job_.key, job_.token, progress);
  if (cancel.ok()) {
    if (*cancel) cancel_.Cancel();
  } else if (ReasonOf(cancel.status()) == "LEASE_LOST") {
    lost_ = true;
    cancel_.Cancel();
  }  // progress that the store could not take is not worth the job
}

bool Attempt::DeadlinePassed() const {
  return job_.deadline_micros != 0 && stores_.clock.NowMicros() >= job_.deadline_micros;
}

absl::Status Attempt::Insist(const std::function<absl::Status()>& write) {
  constexpr int kTries = 60;
  absl::Status status = write();
  std::mutex mutex;
  std::condition_variable never;
  for (int i = 1; i < kTries && IsAway(status) && !drained_; ++i) {
    std::unique_lock<std::mutex> lock(mutex);
    never.wait_for(lock, std::chrono::seconds(1));
    status = write();
  }
  return status;
}

absl::Status Attempt::Write(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kFinish:
      return stores_.jobs.Complete(job_.key, job_.token, verdict.outcome);
    case Verdict::Kind::kRetry:
      return stores_.jobs.Release(job_.key, job_.token, ReleaseReason::kRetry,
                                  RetryDelay(pace_.retry_delay, job_.attempt, JitterOf(job_.token)));
    case Verdict::Kind::kGiveBack:
      return stores_.jobs.Release(job_.key, job_.token, ReleaseReason::kDrained);
  }
  return absl::OkStatus();
}

void Attempt::Finish(const absl::StatusOr<std::string>& result) {
  if (lost_) {
    Log(LogLevel::kWarning, "lease_lost", "attempt thrown away",
        {{"job", job_.key.id}, {"attempt", job_.attempt}, {"token", job_.token}});
    return;
  }
  Verdict verdict;
  if (result.ok() && !verdict_.ok()) {
    verdict.outcome = {.state = JobState::kFailed, .result = *result, .error = JobErrorFrom(verdict_)};
  } else if (result.ok()) {
    verdict.outcome = {.state = JobState::kSucceeded, .result = *result, .error = {}};
  } else {
    verdict = Judge(job_, result.status(), {.drained = drained_, .deadline_passed = DeadlinePassed()});
  }
  const absl::Status written = Insist([&] { return Write(verdict); });
  if (!written.ok()) {
    return LogError("job_end_not_stored", "the end of an attempt could not be stored", written,
                    {{"job", job_.key.id}, {"attempt", job_.attempt}, {"token", job_.token}});
  }
  const char* state =
      verdict.kind == Verdict::Kind::kFinish ? JobStateName(verdict.outcome.state) : JobStateName(JobState::kQueued);
  const absl::Status& error = result.ok() ? verdict_ : result.status();
  Log(LogLevel::kInfo, "job_ended", "attempt ended",
      {{"job", job_.key.id},
       {"project", job_.key.project},
       {"attempt", job_.attempt},
       {"state", state},
       {"reason", ReasonOf(error)},
       {"error", std::string(error.message())}});
}

}  // namespace lathe
