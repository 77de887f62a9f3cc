#include "worker/worker_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "common/digest.h"
#include "common/file.h"
#include "storage/local_storage.h"
#include "tests/support/fake_clock.h"
#include "tests/support/puppet_executor.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

using testing::HasSubstr;

absl::Status Crash() { return MakeError(absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "killed by signal 11"); }

class WorkerLoopTest : public testing::Test {
 protected:
  WorkerLoopTest() : storage_(*LocalStorage::Open(dir_.path(), {.free_fraction = [] { return 0.5; }}, clock_)) {}
  JobStore& jobs() { return storage_->jobs(); }

  void StartWorker(int slots = 1) {
    WorkerOptions options;
    options.name = "test";
    options.jobs_dir = storage_->jobs_dir();
    options.slots = slots;
    options.retry_delay = retry_delay_;
    worker_ = std::make_unique<WorkerLoop>(options, jobs(), storage_->artifacts(), puppet_, metrics_, clock_);
    ASSERT_TRUE(Succeeds(worker_->Start()));
  }
  JobKey Submit(const std::string& id = "", std::vector<std::string> inputs = {}, int64_t deadline = 0) {
    NewJob job;
    job.project = "default";
    job.id = id;
    job.kind = "optimize";
    job.preset = "int8";
    job.inputs = std::move(inputs);
    job.deadline_micros = deadline;
    const auto inserted = jobs().Insert(job, 1000);
    EXPECT_TRUE(Succeeds(inserted));
    return inserted->job.key;
  }
  // Waits until the job is in a final state.
  JobRecord WaitForEnd(const JobKey& key) {
    return WaitFor(key, [](const JobRecord& job) { return IsTerminal(job.state); });
  }
  JobRecord WaitFor(const JobKey& key, const std::function<bool(const JobRecord&)>& condition) {
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t changes = 0;
    const uint64_t subscription = jobs().Subscribe(key, [&](const JobChange&) {
      const std::lock_guard<std::mutex> lock(mutex);
      ++changes;
      changed.notify_all();
    });
    JobRecord job = *jobs().Get(key);
    for (uint64_t seen = 0; !condition(job); job = *jobs().Get(key)) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return changes > seen; });
      seen = changes;
    }
    jobs().Unsubscribe(subscription);
    return job;
  }
  std::string PutInput(const std::string& text) {
    EXPECT_TRUE(Succeeds(WriteFileAtomically(dir_ / "input", text)));
    ArtifactRecord artifact;
    artifact.project = "default";
    return storage_->artifacts().PublishFile(dir_ / "input", artifact)->sha256;
  }
  bool NothingLeft() const { return std::filesystem::is_empty(storage_->jobs_dir()); }

  TempDir dir_;
  FakeClock clock_;
  Metrics metrics_;
  PuppetExecutor puppet_;
  std::chrono::milliseconds retry_delay_{0};
  std::unique_ptr<LocalStorage> storage_;
  std::unique_ptr<WorkerLoop> worker_;  // last: stops before what it uses
};

TEST_F(WorkerLoopTest, StagesExecutesAndPublishes) {
  const std::string input = PutInput("model bytes");
  puppet_.Next([&](const ClaimedJob& job, const std::function<void(std::string)>&,
                   const CancelToken&) -> absl::StatusOr<JobProduct> {
    EXPECT_EQ(*ReadFile(job.job_dir + "/input/" + input, 100), "model bytes");
    LATHE_RETURN_IF_ERROR(WriteFileAtomically(job.job_dir + "/made", "smaller"));
    return JobProduct{
        .outputs = {{"model", "made", 1, "application/vnd.tflite"}},
        .result = [](const std::vector<PublishedOutput>& outputs) { return "made " + outputs[0].sha256; }};
  });
  StartWorker();
  const JobRecord job = WaitForEnd(Submit("", {input}));
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.result, "made " + HexDigest("smaller"));
  const auto artifact = storage_->artifacts().index().GetArtifact("default", HexDigest("smaller"));
  ASSERT_TRUE(Succeeds(artifact));
  EXPECT_EQ(artifact->producer_job, job.key.id);
  worker_->Drain(std::chrono::seconds(10));
  EXPECT_TRUE(NothingLeft());
}

TEST_F(WorkerLoopTest, FailsAtOnceForTheJobsOwnErrors) {
  puppet_.NextFails(MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "byte 7"));
  StartWorker();
  const JobRecord job = WaitForEnd(Submit());
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error.reason, "MODEL_CORRUPT");
  EXPECT_EQ(job.attempt, 1);
}

TEST_F(WorkerLoopTest, RetriesCrashesAndGivesUpAfterThree) {
  puppet_.NextFails(Crash());
  puppet_.NextSucceeds("second try");
  for (int i = 0; i < 3; ++i) puppet_.NextFails(Crash());
  StartWorker();
  const JobRecord lucky = WaitForEnd(Submit());
  EXPECT_EQ(lucky.state, JobState::kSucceeded);
  EXPECT_EQ(lucky.attempt, 2);
  const JobRecord poor = WaitForEnd(Submit());
  EXPECT_EQ(poor.state, JobState::kFailed);
  EXPECT_EQ(poor.attempt, 3);
  EXPECT_THAT(poor.error.message, HasSubstr("signal 11"));
}

TEST_F(WorkerLoopTest, WaitsBeforeItRetriesACrash) {
  retry_delay_ = std::chrono::seconds(5);
  puppet_.NextFails(Crash());
  StartWorker();
  const JobKey key = Submit();
  WaitFor(key, [](const JobRecord& job) { return job.state == JobState::kQueued && job.attempt == 1; });
  EXPECT_TRUE(jobs().Claim("other", 1)->empty());
  clock_.Advance(std::chrono::seconds(7));  // the slot finds it at its next look
  puppet_.NextSucceeds("second try");
  const JobRecord job = WaitForEnd(key);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.attempt, 2);
}

TEST_F(WorkerLoopTest, SweepsAndExpiresWithoutSlots) {
  std::filesystem::create_directories(storage_->jobs_dir() + "/inspect-old");
  StartWorker(0);
  EXPECT_TRUE(NothingLeft());
  EXPECT_EQ(WaitForEnd(Submit("", {}, clock_.NowMicros() - 1)).state, JobState::kExpired);
}

TEST_F(WorkerLoopTest, CancelsARunningJob) {
  StartWorker();
  const JobKey key = Submit();
  puppet_.WaitForStarts(1);
  ASSERT_TRUE(Succeeds(jobs().Cancel(key)));
  const JobRecord job = WaitForEnd(key);
  EXPECT_EQ(job.state, JobState::kCancelled);
  EXPECT_EQ(job.error.code, absl::StatusCode::kCancelled);
}

TEST_F(WorkerLoopTest, RunsAsManyJobsAsItHasSlots) {
  StartWorker(3);
  std::vector<JobKey> keys;
  for (int i = 0; i < 5; ++i) keys.push_back(Submit());
  puppet_.WaitForStarts(3);
  EXPECT_EQ(jobs().Counts()->running, 3);
  EXPECT_EQ(jobs().Counts()->queued, 2);
  for (int i = 0; i < 5; ++i) puppet_.NextSucceeds("done");
  for (const JobKey& key : keys) EXPECT_EQ(WaitForEnd(key).state, JobState::kSucceeded);
}

TEST_F(WorkerLoopTest, KeepsTheResultOfAJobThatMissesAGate) {
  puppet_.Next([&](const ClaimedJob& job, const std::function<void(std::string)>&,
                   const CancelToken&) -> absl::StatusOr<JobProduct> {
    LATHE_RETURN_IF_ERROR(WriteFileAtomically(job.job_dir + "/made", "candidate"));
    return JobProduct{.outputs = {{"model", "made", 1, "application/vnd.tflite"}},
                      .result = [](const auto&) { return "the report"; },
                      .verdict = MakeError(absl::StatusCode::kFailedPrecondition, "GATE_NOT_MET", "by far")};
  });
  StartWorker();
  const JobRecord job = WaitForEnd(Submit());
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error.reason, "GATE_NOT_MET");
  EXPECT_EQ(job.result, "the report");
  EXPECT_EQ(job.attempt, 1);
  EXPECT_TRUE(Succeeds(storage_->artifacts().index().GetArtifact("default", HexDigest("candidate"))));
}

TEST_F(WorkerLoopTest, StoresProgress) {
  puppet_.Next([&](const ClaimedJob& job, const std::function<void(std::string)>& on_progress,
                   const CancelToken&) -> absl::StatusOr<JobProduct> {
    on_progress("half way");
    WaitFor(job.record.key, [](const JobRecord& now) { return now.progress == "half way"; });
    on_progress("too soon");  // the clock stands still
    return JobProduct{.outputs = {}, .result = [](const auto&) { return ""; }};
  });
  StartWorker();
  const JobRecord job = WaitForEnd(Submit());
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(jobs().Events(job.key, 0, 100)->size(), 4u);
}

TEST_F(WorkerLoopTest, WaitsForRunningJobsWhenDrained) {
  StartWorker();
  const JobKey running = Submit();
  puppet_.WaitForStarts(1);
  const JobKey waiting = Submit();
  worker_->StopClaiming();  // else the slot may claim `waiting`, which nothing ends, before Drain has begun
  puppet_.NextSucceeds("done");
  worker_->Drain(std::chrono::seconds(60));
  EXPECT_EQ(jobs().Get(running)->state, JobState::kSucceeded);
  EXPECT_EQ(jobs().Get(waiting)->state, JobState::kQueued);
  EXPECT_EQ(jobs().Get(waiting)->attempt, 0);
}

TEST_F(WorkerLoopTest, GivesJobsBackWhenDrainingTakesTooLong) {
  StartWorker(2);
  const JobKey first = Submit(), second = Submit();
  puppet_.WaitForStarts(2);
  worker_->Drain(std::chrono::milliseconds(0));
  for (const JobKey& key : {first, second}) {
    const JobRecord job = *jobs().Get(key);
    EXPECT_EQ(job.state, JobState::kQueued);
    EXPECT_EQ(job.attempt, 0);
  }
  EXPECT_TRUE(NothingLeft());
}

TEST_F(WorkerLoopTest, ExpiresJobs) {
  puppet_.Next([&](const ClaimedJob& job, const std::function<void(std::string)>&,
                   const CancelToken&) -> absl::StatusOr<JobProduct> {
    EXPECT_EQ(job.time_left, std::chrono::milliseconds(1000));
    clock_.Advance(std::chrono::seconds(2));
    return MakeError(absl::StatusCode::kDeadlineExceeded, "TIME_BUDGET", "too slow");
  });
  StartWorker();
  EXPECT_EQ(WaitForEnd(Submit("", {}, clock_.NowMicros() + 1'000'000)).state, JobState::kExpired);
  EXPECT_EQ(WaitForEnd(Submit("", {}, clock_.NowMicros() - 1)).state, JobState::kExpired);
}

TEST_F(WorkerLoopTest, FailsAJobWhoseInputIsDamaged) {
  const std::string input = PutInput("model bytes");
  const std::string place = dir_ / ("cas/" + input.substr(0, 2) + "/" + input.substr(2, 2) + "/" + input);
  ASSERT_EQ(std::remove(place.c_str()), 0);
  StartWorker();
  const JobRecord job = WaitForEnd(Submit("", {input}));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error.reason, "ARTIFACT_NOT_FOUND");
}

TEST_F(WorkerLoopTest, SweepsAtStart) {
  std::filesystem::create_directories(storage_->jobs_dir() + "/j-old-1-1/out");
  StartWorker();
  EXPECT_TRUE(NothingLeft());
}

}  // namespace
}  // namespace lathe
