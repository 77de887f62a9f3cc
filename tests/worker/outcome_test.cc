#include "worker/outcome.h"

#include <gtest/gtest.h>

#include "google/rpc/status.pb.h"
#include "wire/status.h"

namespace lathe {
namespace {

JobRecord JobOnAttempt(int attempt) {
  JobRecord job;
  job.attempt = attempt;
  job.max_attempts = 3;
  return job;
}

absl::Status Crash() { return MakeError(absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "killed by signal 11"); }

TEST(OutcomeTest, RetriesCrashesWhileAttemptsAreLeft) {
  EXPECT_EQ(Judge(JobOnAttempt(1), Crash(), {}).kind, Verdict::Kind::kRetry);
  EXPECT_EQ(Judge(JobOnAttempt(2), Crash(), {}).kind, Verdict::Kind::kRetry);
  const Verdict last = Judge(JobOnAttempt(3), Crash(), {});
  EXPECT_EQ(last.kind, Verdict::Kind::kFinish);
  EXPECT_EQ(last.outcome.state, JobState::kFailed);
  EXPECT_EQ(last.outcome.error.reason, "EXECUTOR_CRASHED");
  EXPECT_EQ(last.outcome.error.message, "attempt 3 of 3: killed by signal 11");
}

TEST(OutcomeTest, FailsAtOnceForTheJobsOwnErrors) {
  const absl::Status error = MakeViolationsError({{"spec.optimize.recipe.preset", "unknown"}});
  const Verdict verdict = Judge(JobOnAttempt(1), error, {});
  EXPECT_EQ(verdict.kind, Verdict::Kind::kFinish);
  EXPECT_EQ(verdict.outcome.state, JobState::kFailed);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(verdict.outcome.error.details));
  EXPECT_EQ(ViolationsOf(StatusFromRpc(details)).size(), 1u);
}

TEST(OutcomeTest, TellsACancelledJobFromADrainedWorker) {
  const absl::Status cancelled = MakeError(absl::StatusCode::kCancelled, "CANCELLED", "cancelled");
  EXPECT_EQ(Judge(JobOnAttempt(1), cancelled, {}).outcome.state, JobState::kCancelled);
  EXPECT_EQ(Judge(JobOnAttempt(1), cancelled, {.drained = true}).kind, Verdict::Kind::kGiveBack);
}

TEST(OutcomeTest, ExpiresAfterTheDeadline) {
  const absl::Status slow = MakeError(absl::StatusCode::kDeadlineExceeded, "TIME_BUDGET", "took too long");
  EXPECT_EQ(Judge(JobOnAttempt(1), slow, {}).outcome.state, JobState::kFailed);
  EXPECT_EQ(Judge(JobOnAttempt(1), slow, {.deadline_passed = true}).outcome.state, JobState::kExpired);
}

TEST(RetryDelayTest, DoublesUpToAQuarterOfAnHour) {
  using std::chrono::milliseconds;
  EXPECT_EQ(RetryDelay(milliseconds(5000), 1, 0), milliseconds(5000));
  EXPECT_EQ(RetryDelay(milliseconds(5000), 3, 0), milliseconds(20'000));
  EXPECT_EQ(RetryDelay(milliseconds(5000), 1, -1), milliseconds(4000));
  EXPECT_EQ(RetryDelay(milliseconds(5000), 1, 1), milliseconds(6000));
  EXPECT_EQ(RetryDelay(milliseconds(5000), 60, 0), std::chrono::minutes(15));
  EXPECT_EQ(RetryDelay(milliseconds(0), 5, 1), milliseconds(0));
}

}  // namespace
}  // namespace lathe
