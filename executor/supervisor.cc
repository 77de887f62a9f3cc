#include "executor/supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/build_id.h"
#include "common/file.h"
#include "executor/child_process.h"
#include "executor/child_streams.h"
#include "wire/status.h"

namespace lathe {
namespace {

using Clock = std::chrono::steady_clock;
using internal::v1::ExecutorEvent;
using internal::v1::ExecutorResult;

// How often limits and the cancel token are looked at; pipes and the child's end wake the loop at once.
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kMemoryPollInterval{100};
// An answer lists every operator of a model (tens of thousands, about 200 bytes each).
constexpr uint64_t kResultBytesMax = uint64_t{64} << 20;
// TBB, XNNPACK and glibc arenas reserve address space that they never touch, hence the factor.
constexpr uint64_t kAddressSpaceFactor = 4;

std::string Seconds(std::chrono::milliseconds duration) {
  return absl::StrFormat("%g s", static_cast<double>(duration.count()) / 1000);
}

std::string Mebibytes(uint64_t bytes) { return absl::StrFormat("%d MiB", bytes >> 20); }

// One attempt, from the spec on disk to the verdict.
class Attempt {
 public:
  Attempt(const ExecutorLaunch& launch, const std::function<void(const ExecutorEvent::Progress&)>& on_progress,
          const CancelToken& cancel)
      : launch_(launch), on_progress_(on_progress), cancel_(cancel) {}

  absl::StatusOr<ExecutorResult> Run();
  const std::string& outcome() const { return outcome_; }
  uint64_t peak_rss_bytes() const { return peak_rss_bytes_; }

 private:
  absl::Status PrepareJobDir() const;
  absl::Status StartChild();
  void Supervise();
  void CheckLimits();
  void ReadStreams();
  void HandleEvent(const ExecutorEvent& event);
  void Kill(std::string outcome, absl::Status why);
  absl::StatusOr<ExecutorResult> Judge(const ChildEnd& end);
  absl::StatusOr<ExecutorResult> JudgeAnswer(int exit_code);
  absl::Status JudgeSignal(int signal_number);
  absl::StatusOr<ExecutorResult> ReadResult() const;
  absl::Status Crashed(std::string_view what);
  absl::Status MemoryExceeded(std::string_view how);
  absl::Status TimeExceeded() const;

  const ExecutorLaunch& launch_;
  const std::function<void(const ExecutorEvent::Progress&)>& on_progress_;
  const CancelToken& cancel_;
  std::unique_ptr<ChildProcess> child_;
  EventDecoder events_;
  OutputTail output_;
  Clock::time_point started_;
  Clock::time_point memory_polled_;
  std::optional<Clock::time_point> cancelled_at_;
  std::optional<absl::Status> verdict_;  // why we killed the child; decides whatever its exit code is
  std::string outcome_ = "crashed";
  bool greeted_ = false;
  double fraction_ = 0;
  uint64_t peak_rss_bytes_ = 0;
};

absl::StatusOr<ExecutorResult> Attempt::Run() {
  outcome_ = "cancelled";
  LATHE_RETURN_IF_ERROR(cancel_.Check());
  outcome_ = "failed";  // a start that fails is our own error, not a crash
  LATHE_RETURN_IF_ERROR(PrepareJobDir());
  LATHE_RETURN_IF_ERROR(StartChild());
  Supervise();
  const ChildEnd end = child_->Reap();
  ReadStreams();  // what was written between the last look and the end
  peak_rss_bytes_ = child_->peak_rss_bytes();
  return Judge(end);
}

absl::Status Attempt::PrepareJobDir() const {
  const std::string out = launch_.job_dir + "/out";
  if (mkdir(out.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoToStatus(errno, "mkdir", out);
  // An answer of an earlier attempt in the same folder must not pass for this one's.
  const std::string result = out + "/result.pb";
  if (unlink(result.c_str()) != 0 && errno != ENOENT) return ErrnoToStatus(errno, "unlink", result);
  internal::v1::ExecutorSpec spec = launch_.spec;
  spec.set_build_id(std::string(BuildId()));
  return WriteFileAtomically(launch_.job_dir + "/spec.pb", spec.SerializeAsString(), Durability::kScratch);
}

absl::Status Attempt::StartChild() {
  const ExecutorLimits& limits = launch_.limits;
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  ChildOptions options;
  options.program = launch_.executor_path;
  options.working_directory = launch_.job_dir;
  options.address_space_bytes = limits.memory_bytes * kAddressSpaceFactor;
  options.file_bytes = limits.file_bytes;
  // A backstop for a parent that is stopped: no job can use more than all cores for the whole wall time.
  options.cpu_seconds = (static_cast<uint64_t>(limits.wall.count()) / 1000 + 1) * cores;
  started_ = memory_polled_ = Clock::now();
  LATHE_ASSIGN_OR_RETURN(child_, ChildProcess::Start(options));
  return absl::OkStatus();
}

void Attempt::Supervise() {
  while (!child_->HasEnded()) {
    child_->Wait(kTick);
    ReadStreams();
    CheckLimits();
  }
}

void Attempt::ReadStreams() {
  for (std::string bytes = child_->ReadOutput(); !bytes.empty(); bytes = child_->ReadOutput()) output_.Append(bytes);
  for (std::string bytes = child_->ReadEvents(); !bytes.empty(); bytes = child_->ReadEvents()) {
    if (verdict_) continue;
    events_.Append(bytes);
    while (!verdict_) {
      auto event = events_.Next();
      if (!event.ok()) return Kill("crashed", Crashed(std::string(event.status().message())));
      if (!*event) break;
      HandleEvent(**event);
    }
  }
}

void Attempt::HandleEvent(const ExecutorEvent& event) {
  if (!greeted_) {
    greeted_ = true;
    if (event.hello().build_id() == BuildId()) return;
    return Kill("refused",
                MakeError(absl::StatusCode::kFailedPrecondition, "BUILD_MISMATCH",
                          absl::StrFormat("'%s' is build '%s', but this program is build '%s': install both from one "
                                          "build",
                                          launch_.executor_path, event.hello().build_id().substr(0, 100), BuildId())));
  }
  if (!event.has_progress() || !on_progress_) return;
  ExecutorEvent::Progress progress = event.progress();
  // Also refuses NaN, for which every comparison is false.
  if (progress.fraction() > fraction_) fraction_ = std::min(progress.fraction(), 1.0);
  progress.set_fraction(fraction_);
  on_progress_(progress);
}

void Attempt::CheckLimits() {
  const auto now = Clock::now();
  const ExecutorLimits& limits = launch_.limits;
  if (cancel_.IsCancelled() && !cancelled_at_) {
    cancelled_at_ = now;
    child_->Signal(SIGTERM);
  }
  if (cancelled_at_ && now - *cancelled_at_ > limits.kill_grace) child_->Signal(SIGKILL);
  if (verdict_) return;
  if (now - started_ > limits.wall) return Kill("timeout", TimeExceeded());
  if (now - memory_polled_ < kMemoryPollInterval) return;
  memory_polled_ = now;
  const uint64_t resident = child_->PollResidentBytes();
  if (resident > limits.memory_bytes) Kill("memory", MemoryExceeded(absl::StrFormat("used %s", Mebibytes(resident))));
}

// The first reason stands: later ones are consequences of the kill.
void Attempt::Kill(std::string outcome, absl::Status why) {
  if (!verdict_) {
    verdict_ = std::move(why);
    outcome_ = std::move(outcome);
  }
  child_->Signal(SIGKILL);
}

absl::StatusOr<ExecutorResult> Attempt::Judge(const ChildEnd& end) {
  if (verdict_) return *verdict_;
  // Cancelling a job that had just finished changes nothing: what is true is told.
  if (cancelled_at_ && end.exit_code != 0) {
    outcome_ = "cancelled";
    return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the job was cancelled");
  }
  if (end.signal >= 0) return JudgeSignal(end.signal);
  if (end.exit_code > 1) return Crashed(absl::StrFormat("the executor ended with exit code %d", end.exit_code));
  return JudgeAnswer(end.exit_code);
}

absl::StatusOr<ExecutorResult> Attempt::JudgeAnswer(int exit_code) {
  if (!greeted_) {
    return Crashed(absl::StrFormat("'%s' ended with exit code %d and never said hello: it is not an executor",
                                   launch_.executor_path, exit_code));
  }
  auto result = ReadResult();
  if (!result.ok()) return Crashed(std::string(result.status().message()));
  peak_rss_bytes_ = std::max<uint64_t>(peak_rss_bytes_, result->report().peak_rss_bytes());
  if (result->has_error() != (exit_code == 1)) {
    return Crashed(
        absl::StrFormat("the executor ended with exit code %d, but its answer says the opposite", exit_code));
  }
  if (!result->has_error()) {
    outcome_ = "ok";
    return result;
  }
  const absl::Status error = StatusFromExecutorError(result->error());
  const std::string reason = ReasonOf(error);
  outcome_ = reason == "BUILD_MISMATCH" ? "refused" : reason == "MEMORY_BUDGET" ? "memory" : "failed";
  return error;
}

absl::Status Attempt::JudgeSignal(int signal_number) {
  const ExecutorLimits& limits = launch_.limits;
  if (signal_number == SIGXFSZ) {
    outcome_ = "failed";
    return MakeError(absl::StatusCode::kResourceExhausted, "FILE_BUDGET",
                     absl::StrFormat("the job wrote a file larger than its limit of %s", Mebibytes(limits.file_bytes)));
  }
  if (signal_number == SIGXCPU) {
    outcome_ = "timeout";
    return TimeExceeded();
  }
  // A kill that is not ours is the kernel's when memory is short.
  const bool near_limit = child_->peak_rss_bytes() > limits.memory_bytes - limits.memory_bytes / 10;
  const bool allocation_failed = output_.Text().find("std::bad_alloc") != std::string::npos;
  if ((signal_number == SIGKILL && near_limit) || (signal_number == SIGABRT && allocation_failed)) {
    outcome_ = "memory";
    return MemoryExceeded(signal_number == SIGKILL ? "was killed by the system near it" : "ran out of address space");
  }
  const char* name = sigabbrev_np(signal_number);
  const char* description = sigdescr_np(signal_number);
  std::string what = absl::StrFormat("the executor was ended by signal %d (SIG%s, %s)", signal_number,
                                     name == nullptr ? "?" : name, description == nullptr ? "unknown" : description);
  if (signal_number == SIGKILL) what += "; the system does that when it runs out of memory";
  return Crashed(what);
}

absl::StatusOr<ExecutorResult> Attempt::ReadResult() const {
  const std::string path = launch_.job_dir + "/out/result.pb";
  // Written by a process that read hostile bytes: no links, nothing that blocks, nothing huge.
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return ErrnoToStatus(errno, "the executor left no answer: open", path);
  struct stat info {};
  const bool sane =
      fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) <= kResultBytesMax;
  ExecutorResult result;
  const bool parsed = sane && result.ParseFromFileDescriptor(fd);
  close(fd);
  if (!sane) return absl::InternalError("the executor's answer is not a regular file of at most 64 MiB");
  if (!parsed || result.result_case() == ExecutorResult::RESULT_NOT_SET) {
    return absl::InternalError("the executor's answer does not parse");
  }
  return result;
}

absl::Status Attempt::Crashed(std::string_view what) {
  outcome_ = "crashed";
  std::string message(what);
  if (const std::string tail = output_.Text(); !tail.empty()) {
    absl::StrAppend(&message, ". Its last output:\n", tail);
  }
  return MakeError(absl::StatusCode::kInternal, "EXECUTOR_CRASHED", message);
}

absl::Status Attempt::MemoryExceeded(std::string_view how) {
  return MakeError(absl::StatusCode::kResourceExhausted, "MEMORY_BUDGET",
                   absl::StrFormat("the job may use %s of memory and %s: give it more or use a smaller model or batch",
                                   Mebibytes(launch_.limits.memory_bytes), how));
}

absl::Status Attempt::TimeExceeded() const {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "TIME_BUDGET",
                   absl::StrFormat("the job may run for %s and did not finish: give it more time or fewer samples",
                                   Seconds(launch_.limits.wall)));
}

}  // namespace

absl::StatusOr<ExecutorResult> RunExecutor(const ExecutorLaunch& launch,
                                           const std::function<void(const ExecutorEvent::Progress&)>& on_progress,
                                           const CancelToken& cancel, ExecutorExit* exit) {
  Attempt attempt(launch, on_progress, cancel);
  auto result = attempt.Run();
  if (exit != nullptr) {
    exit->outcome = attempt.outcome();
    exit->peak_rss_bytes = attempt.peak_rss_bytes();
  }
  return result;
}

absl::StatusOr<std::string> FindExecutor(const std::string& override_path) {
  std::string path = override_path;
  if (path.empty()) {
    char self[4096];
    const ssize_t size = readlink("/proc/self/exe", self, sizeof(self));
    if (size < 0) return ErrnoToStatus(errno, "readlink", "/proc/self/exe");
    path.assign(self, static_cast<size_t>(size));
    path.resize(path.rfind('/') + 1);
    path += "lathe-executor";
  }
  if (access(path.c_str(), X_OK) == 0) return path;
  return MakeError(absl::StatusCode::kNotFound, "EXECUTOR_MISSING",
                   absl::StrFormat("cannot run the executor '%s': %s. lathe-executor belongs beside the program that "
                                   "starts it",
                                   path, strerror(errno)));
}

}  // namespace lathe
