#include "worker/outcome.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "wire/status.h"

namespace lathe {
namespace {

bool MayNotRepeat(const absl::Status& error) {
  const std::string reason = ReasonOf(error);
  return reason == "EXECUTOR_CRASHED" || reason == "STORAGE_UNAVAILABLE";
}

}  // namespace

JobError JobErrorFrom(const absl::Status& status) {
  return {status.code(), ReasonOf(status), std::string(status.message()),
          RpcFromStatus(status, ErrorRoom::kJob).SerializeAsString()};
}

Verdict Judge(const JobRecord& job, const absl::Status& error, const AttemptCircumstances& circumstances) {
  if (absl::IsCancelled(error)) {
    if (circumstances.drained) return {.kind = Verdict::Kind::kGiveBack};
    return {.outcome = {.state = JobState::kCancelled, .result = "", .error = JobErrorFrom(error)}};
  }
  if (circumstances.deadline_passed) {
    const absl::Status expired = MakeError(absl::StatusCode::kDeadlineExceeded, "EXPIRED",
                                           absl::StrFormat("the job's deadline passed during attempt %d", job.attempt));
    return {.outcome = {.state = JobState::kExpired, .result = "", .error = JobErrorFrom(expired)}};
  }
  if (!MayNotRepeat(error)) {
    return {.outcome = {.state = JobState::kFailed, .result = "", .error = JobErrorFrom(error)}};
  }
  if (job.attempt < job.max_attempts) return {.kind = Verdict::Kind::kRetry};
  const absl::Status last = Annotate(error, absl::StrFormat("attempt %d of %d", job.attempt, job.max_attempts));
  return {.outcome = {.state = JobState::kFailed, .result = "", .error = JobErrorFrom(last)}};
}

std::chrono::milliseconds RetryDelay(std::chrono::milliseconds base, int attempt, double jitter) {
  constexpr double kMax = 15 * 60e3;
  const double plain = std::min(kMax, std::ldexp(static_cast<double>(base.count()), attempt - 1));
  return std::chrono::milliseconds(std::llround(plain * (1 + 0.2 * jitter)));
}

}  // namespace lathe
