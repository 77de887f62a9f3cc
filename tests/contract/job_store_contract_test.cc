// What every JobStore does, whatever it is made of.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "storage/artifact_index.h"
#include "storage/job_store.h"
#include "storage/local_storage.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

constexpr int64_t kNoLimit = 1'000'000;

// One store with what it needs; Reopen is a restart of the server.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual JobStore& jobs() = 0;
  virtual ArtifactIndex& index() = 0;
  virtual void Reopen() = 0;
  FakeClock clock;
};

class LocalStoreUnderTest final : public StoreUnderTest {
 public:
  LocalStoreUnderTest() { Reopen(); }
  JobStore& jobs() override { return storage_->jobs(); }
  ArtifactIndex& index() override { return storage_->artifacts().index(); }
  void Reopen() override {
    storage_.reset();
    auto opened = LocalStorage::Open(dir_.path(), {}, clock);
    if (!opened.ok()) std::abort();
    storage_ = *std::move(opened);
  }

 private:
  TempDir dir_;
  std::unique_ptr<LocalStorage> storage_;
};

using Factory = std::function<std::unique_ptr<StoreUnderTest>()>;

class JobStoreContract : public testing::TestWithParam<std::pair<const char*, Factory>> {
 protected:
  JobStoreContract() : store_(GetParam().second()) {}
  JobStore& jobs() { return store_->jobs(); }

  static NewJob MakeJob(const std::string& id = "") {
    NewJob job;
    job.project = "default";
    job.id = id;
    job.kind = "optimize";
    job.preset = "int8";
    job.spec = std::string("spec\0with a zero byte", 22);
    return job;
  }
  JobRecord Insert(const NewJob& job) {
    auto inserted = jobs().Insert(job, kNoLimit);
    EXPECT_TRUE(Succeeds(inserted));
    return inserted.ok() ? inserted->job : JobRecord();
  }
  JobRecord ClaimOne() {
    auto claimed = jobs().Claim("worker", 1);
    EXPECT_TRUE(claimed.ok() && claimed->size() == 1);
    return claimed.ok() && !claimed->empty() ? claimed->front() : JobRecord();
  }
  JobRecord Get(const JobKey& key) {
    auto job = jobs().Get(key);
    EXPECT_TRUE(Succeeds(job));
    return job.ok() ? *job : JobRecord();
  }
  static JobOutcome Success() { return {JobState::kSucceeded, "result", {}}; }
  static JobOutcome Failure() {
    return {JobState::kFailed, "", {absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "bad model", "details"}};
  }
  std::vector<JobState> EventStates(const JobKey& key) {
    std::vector<JobState> states;
    auto events = jobs().Events(key, 0, 1000);
    EXPECT_TRUE(Succeeds(events));
    if (!events.ok()) return states;
    for (size_t i = 0; i < events->size(); ++i) {
      EXPECT_EQ((*events)[i].sequence, static_cast<int64_t>(i) + 1);
      states.push_back((*events)[i].state);
    }
    return states;
  }

  std::unique_ptr<StoreUnderTest> store_;
};

TEST_P(JobStoreContract, KeepsWhatWasInserted) {
  NewJob job = MakeJob("my-job");
  job.labels = {{"a", "1"}, {"b", std::string("\x1e\0x", 3)}};
  job.priority = 3;
  job.retry_of = "older";
  job.deadline_micros = store_->clock.NowMicros() + 1;
  Insert(job);
  store_->Reopen();
  const JobRecord stored = Get({"default", "my-job"});
  EXPECT_EQ(stored.spec, job.spec);
  EXPECT_EQ(stored.labels, job.labels);
  EXPECT_EQ(stored.priority, 3);
  EXPECT_EQ(stored.kind, "optimize");
  EXPECT_EQ(stored.preset, "int8");
  EXPECT_EQ(stored.retry_of, "older");
  EXPECT_EQ(stored.state, JobState::kQueued);
  EXPECT_EQ(stored.attempt, 0);
  EXPECT_EQ(stored.create_time_micros, store_->clock.NowMicros());
  EXPECT_EQ(stored.deadline_micros, job.deadline_micros);
  EXPECT_EQ(stored.finish_time_micros, 0);
  EXPECT_EQ(stored.uid.size(), 36u);
}

TEST_P(JobStoreContract, MakesIds) {
  const JobRecord job = Insert(MakeJob());
  EXPECT_EQ(job.key.id.size(), 28u);
  EXPECT_EQ(job.key.id.substr(0, 2), "j-");
}

TEST_P(JobStoreContract, RefusesATakenId) {
  Insert(MakeJob("same"));
  EXPECT_TRUE(Fails(jobs().Insert(MakeJob("same"), kNoLimit), absl::StatusCode::kAlreadyExists, "JOB_EXISTS", "same"));
  NewJob other = MakeJob("same");
  other.project = "other";
  EXPECT_TRUE(Succeeds(jobs().Insert(other, kNoLimit)));
}

TEST_P(JobStoreContract, AnswersARepeatedRequestWithTheJobAsItIsNow) {
  NewJob job = MakeJob();
  job.request_id = "r1";
  job.request_hash = "h1";
  const JobRecord first = Insert(job);
  ASSERT_TRUE(Succeeds(jobs().Cancel(first.key)));
  const auto second = jobs().Insert(job, 0);  // also when the queue is full
  ASSERT_TRUE(Succeeds(second));
  EXPECT_TRUE(second->existing);
  EXPECT_EQ(second->job.key, first.key);
  EXPECT_EQ(second->job.state, JobState::kCancelled);
  job.request_hash = "h2";
  EXPECT_TRUE(Fails(jobs().Insert(job, kNoLimit), absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED", "r1"));
}

TEST_P(JobStoreContract, InsertsOnceForManyEqualRequestsAtOnce) {
  NewJob job = MakeJob();
  job.request_id = "r";
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  for (std::string& id : ids) {
    threads.emplace_back([&, this] {
      const auto inserted = jobs().Insert(job, kNoLimit);
      if (inserted.ok()) id = inserted->job.key.id;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
  EXPECT_EQ(jobs().Counts()->queued, 1);
}

TEST_P(JobStoreContract, RefusesWhenTheQueueIsFull) {
  Insert(MakeJob());
  EXPECT_TRUE(Fails(jobs().Insert(MakeJob(), 1), absl::StatusCode::kResourceExhausted, "QUEUE_FULL"));
  EXPECT_EQ(jobs().Counts()->queued, 1);
}

TEST_P(JobStoreContract, RefusesUnknownInputs) {
  NewJob job = MakeJob();
  job.inputs = {std::string(64, 'a')};
  EXPECT_TRUE(Fails(jobs().Insert(job, kNoLimit), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
  ArtifactRecord artifact;
  artifact.project = "default";
  artifact.sha256 = job.inputs[0];
  ASSERT_TRUE(Succeeds(store_->index().PutArtifact(artifact)));
  EXPECT_EQ(Insert(job).inputs, job.inputs);
}

TEST_P(JobStoreContract, KeepsInputsOfUnfinishedJobs) {
  ArtifactRecord artifact;
  artifact.project = "default";
  artifact.sha256 = std::string(64, 'b');
  ASSERT_TRUE(Succeeds(store_->index().PutArtifact(artifact)));
  NewJob job = MakeJob();
  job.inputs = {artifact.sha256};
  const JobRecord inserted = Insert(job);
  EXPECT_TRUE(Fails(store_->index().DeleteArtifact("default", artifact.sha256), absl::StatusCode::kFailedPrecondition,
                    "ARTIFACT_IN_USE", inserted.key.id));
  ASSERT_TRUE(Succeeds(jobs().Cancel(inserted.key)));
  const auto deleted = store_->index().DeleteArtifact("default", artifact.sha256);
  ASSERT_TRUE(Succeeds(deleted));
  EXPECT_TRUE(*deleted);
}

TEST_P(JobStoreContract, ClaimsByPriorityThenAge) {
  const JobKey first = Insert(MakeJob()).key, second = Insert(MakeJob()).key;
  NewJob urgent = MakeJob();
  urgent.priority = 1;
  const JobKey third = Insert(urgent).key;
  const auto claimed = jobs().Claim("w", 5);
  ASSERT_TRUE(Succeeds(claimed));
  ASSERT_EQ(claimed->size(), 3u);
  EXPECT_EQ((*claimed)[0].key, third);
  EXPECT_EQ((*claimed)[1].key, first);
  EXPECT_EQ((*claimed)[2].key, second);
  EXPECT_EQ((*claimed)[0].worker, "w");
  EXPECT_EQ((*claimed)[0].attempt, 1);
  EXPECT_EQ((*claimed)[0].state, JobState::kRunning);
  EXPECT_LT((*claimed)[0].token, (*claimed)[1].token);
  EXPECT_TRUE(jobs().Claim("w", 1)->empty());
  EXPECT_EQ(jobs().Counts()->running, 3);
}

TEST_P(JobStoreContract, CompletesOnceAndForGood) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  store_->clock.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(Succeeds(jobs().Complete(job.key, job.token, Success())));
  EXPECT_TRUE(Fails(jobs().Complete(job.key, job.token, Failure()), absl::StatusCode::kAborted, "LEASE_LOST"));
  EXPECT_TRUE(
      Fails(jobs().Release(job.key, job.token, ReleaseReason::kRetry), absl::StatusCode::kAborted, "LEASE_LOST"));
  EXPECT_TRUE(Fails(jobs().UpdateProgress(job.key, job.token, "p"), absl::StatusCode::kAborted, "LEASE_LOST"));
  const auto cancelled = jobs().Cancel(job.key);
  ASSERT_TRUE(Succeeds(cancelled));
  EXPECT_EQ(cancelled->state, JobState::kSucceeded);
  EXPECT_EQ(cancelled->result, "result");
  EXPECT_EQ(cancelled->finish_time_micros, store_->clock.NowMicros());
  EXPECT_EQ(EventStates(job.key), (std::vector{JobState::kQueued, JobState::kRunning, JobState::kSucceeded}));
}

TEST_P(JobStoreContract, KeepsTheErrorOfAFailure) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Complete(job.key, job.token, Failure())));
  store_->Reopen();
  const JobRecord stored = Get(job.key);
  EXPECT_EQ(stored.state, JobState::kFailed);
  EXPECT_EQ(stored.error.code, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(stored.error.reason, "MODEL_CORRUPT");
  EXPECT_EQ(stored.error.message, "bad model");
  EXPECT_EQ(stored.error.details, "details");
}

TEST_P(JobStoreContract, FencesAnOldAttempt) {
  Insert(MakeJob());
  const JobRecord first = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Release(first.key, first.token, ReleaseReason::kRetry)));
  const JobRecord second = ClaimOne();
  EXPECT_EQ(second.attempt, 2);
  EXPECT_GT(second.token, first.token);
  EXPECT_TRUE(Fails(jobs().Complete(first.key, first.token, Success()), absl::StatusCode::kAborted, "LEASE_LOST"));
  EXPECT_TRUE(Fails(jobs().UpdateProgress(first.key, first.token, "p"), absl::StatusCode::kAborted, "LEASE_LOST"));
  EXPECT_TRUE(Succeeds(jobs().Complete(second.key, second.token, Success())));
}

TEST_P(JobStoreContract, HoldsAReleasedJobBackForItsDelay) {
  Insert(MakeJob());
  const JobRecord first = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Release(first.key, first.token, ReleaseReason::kRetry, std::chrono::seconds(5))));
  EXPECT_EQ(Get(first.key).state, JobState::kQueued);
  const JobKey later = Insert(MakeJob()).key;
  EXPECT_EQ(ClaimOne().key, later) << "the job that waits holds up nobody";
  EXPECT_TRUE(jobs().Claim("worker", 1)->empty());
  store_->Reopen();
  EXPECT_TRUE(jobs().Claim("worker", 1)->empty());
  store_->clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(ClaimOne().key, first.key);
}

TEST_P(JobStoreContract, TellsOfEachEndOnce) {
  std::vector<std::string> ends;
  const auto subscribe = [&] {
    return jobs().SubscribeEnds([&](const JobEnd& end) {
      ends.push_back(end.key.id + " " + end.kind + " " + end.preset + " " + JobStateName(end.state) + " " + end.reason);
    });
  };
  const uint64_t subscription = subscribe();
  EXPECT_THAT(ends, testing::IsEmpty());
  Insert(MakeJob("done"));
  const JobRecord done = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().UpdateProgress(done.key, done.token, "p")));
  ASSERT_TRUE(Succeeds(jobs().Complete(done.key, done.token, Success())));
  EXPECT_FALSE(jobs().Complete(done.key, done.token, Success()).ok());
  ASSERT_TRUE(Succeeds(jobs().Cancel(done.key)));
  ASSERT_TRUE(Succeeds(jobs().Delete(done.key)));
  Insert(MakeJob("queued"));
  ASSERT_TRUE(Succeeds(jobs().Cancel({"default", "queued"})));
  ASSERT_TRUE(Succeeds(jobs().Cancel({"default", "queued"})));
  Insert(MakeJob("running"));
  const JobRecord running = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Cancel(running.key)));
  ASSERT_TRUE(Succeeds(jobs().Release(running.key, running.token, ReleaseReason::kRetry)));
  NewJob late = MakeJob("late");
  late.deadline_micros = store_->clock.NowMicros() - 1;
  Insert(late);
  EXPECT_EQ(*jobs().ExpireQueued(), 1);
  EXPECT_EQ(*jobs().ExpireQueued(), 0);
  jobs().Unsubscribe(subscription);
  EXPECT_THAT(ends,
              testing::ElementsAre("done optimize int8 SUCCEEDED ", "queued optimize int8 CANCELLED CANCELLED",
                                   "running optimize int8 CANCELLED CANCELLED", "late optimize int8 EXPIRED EXPIRED"));
  // After a crash of the server: no attempt left, or cancelled meanwhile.
  ends.clear();
  NewJob once = MakeJob("poison");
  once.max_attempts = 1;
  Insert(once);
  ClaimOne();
  Insert(MakeJob("again"));
  ClaimOne();
  store_->Reopen();
  subscribe();
  ASSERT_TRUE(Succeeds(jobs().RequeueRunning()));
  EXPECT_THAT(ends, testing::ElementsAre("poison optimize int8 FAILED POISON"));
}

TEST_P(JobStoreContract, DoesNotCountADrainedAttempt) {
  Insert(MakeJob());
  const JobRecord first = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Release(first.key, first.token, ReleaseReason::kDrained)));
  EXPECT_EQ(Get(first.key).attempt, 0);
  EXPECT_EQ(ClaimOne().attempt, 1);
}

TEST_P(JobStoreContract, CancelsQueuedJobsAtOnce) {
  const JobKey key = Insert(MakeJob()).key;
  const auto cancelled = jobs().Cancel(key);
  ASSERT_TRUE(Succeeds(cancelled));
  EXPECT_EQ(cancelled->state, JobState::kCancelled);
  EXPECT_TRUE(cancelled->cancel_requested);
  EXPECT_EQ(cancelled->error.code, absl::StatusCode::kCancelled);
  EXPECT_TRUE(jobs().Claim("w", 1)->empty());
  EXPECT_TRUE(Fails(jobs().Cancel({"default", "none"}), absl::StatusCode::kNotFound, "JOB_NOT_FOUND"));
}

TEST_P(JobStoreContract, AsksTheHolderToCancelARunningJob) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  EXPECT_FALSE(*jobs().UpdateProgress(job.key, job.token, "p1"));
  EXPECT_EQ(jobs().Cancel(job.key)->state, JobState::kCancelling);
  EXPECT_EQ(jobs().Cancel(job.key)->state, JobState::kCancelling);
  EXPECT_TRUE(*jobs().UpdateProgress(job.key, job.token, "p2"));
  EXPECT_EQ(Get(job.key).progress, "p2");
  ASSERT_TRUE(Succeeds(jobs().Release(job.key, job.token, ReleaseReason::kDrained)));
  EXPECT_EQ(Get(job.key).state, JobState::kCancelled);
  EXPECT_EQ(EventStates(job.key), (std::vector{JobState::kQueued, JobState::kRunning, JobState::kRunning,
                                               JobState::kCancelling, JobState::kCancelling, JobState::kCancelled}));
}

TEST_P(JobStoreContract, LetsAResultWinOverALateCancellation) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Cancel(job.key)));
  ASSERT_TRUE(Succeeds(jobs().Complete(job.key, job.token, Success())));
  EXPECT_EQ(Get(job.key).state, JobState::kSucceeded);
}

TEST_P(JobStoreContract, DeletesFinishedJobsOnly) {
  const JobKey key = Insert(MakeJob("gone")).key;
  EXPECT_TRUE(Fails(jobs().Delete(key), absl::StatusCode::kFailedPrecondition, "JOB_NOT_FINISHED", "QUEUED"));
  ASSERT_TRUE(Succeeds(jobs().Cancel(key)));
  ASSERT_TRUE(Succeeds(jobs().Delete(key)));
  EXPECT_TRUE(Fails(jobs().Get(key), absl::StatusCode::kNotFound, "JOB_NOT_FOUND"));
  EXPECT_TRUE(Fails(jobs().Events(key, 0, 1), absl::StatusCode::kNotFound, "JOB_NOT_FOUND"));
  EXPECT_TRUE(Fails(jobs().Delete(key), absl::StatusCode::kNotFound, "JOB_NOT_FOUND"));
  EXPECT_EQ(EventStates(Insert(MakeJob("gone")).key), std::vector{JobState::kQueued});
}

TEST_P(JobStoreContract, ListsNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) Insert(MakeJob(absl::StrFormat("job-%d", i)));
  NewJob other = MakeJob("elsewhere");
  other.project = "other";
  Insert(other);
  ASSERT_TRUE(Succeeds(jobs().Cancel({"default", "job-1"})));
  const auto first = jobs().List({"default", {}}, 2, 0);
  ASSERT_TRUE(Succeeds(first));
  ASSERT_EQ(first->jobs.size(), 2u);
  EXPECT_EQ(first->jobs[0].key.id, "job-4");
  Insert(MakeJob("job-5"));  // must not shift the next page
  const auto second = jobs().List({"default", {}}, 10, first->next_cursor);
  ASSERT_TRUE(Succeeds(second));
  ASSERT_EQ(second->jobs.size(), 3u);
  EXPECT_EQ(second->jobs[0].key.id, "job-2");
  EXPECT_EQ(second->next_cursor, 0);
  const auto cancelled = jobs().List({"default", {JobState::kCancelled}}, 10, 0);
  ASSERT_TRUE(Succeeds(cancelled));
  ASSERT_EQ(cancelled->jobs.size(), 1u);
  EXPECT_EQ(cancelled->jobs[0].key.id, "job-1");
}

TEST_P(JobStoreContract, GivesEventsAfterASequence) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(Succeeds(jobs().UpdateProgress(job.key, job.token, absl::StrFormat("p%d", i))));
  const auto events = jobs().Events(job.key, 3, 10);
  ASSERT_TRUE(Succeeds(events));
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].sequence, 4);
  EXPECT_EQ((*events)[0].progress, "p1");
  EXPECT_EQ(jobs().Events(job.key, 0, 2)->size(), 2u);
}

TEST_P(JobStoreContract, RequeuesWhatADeadServerRan) {
  const JobKey key = Insert(MakeJob()).key;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(ClaimOne().attempt, attempt);
    store_->Reopen();
    const auto requeued = jobs().RequeueRunning();
    ASSERT_TRUE(Succeeds(requeued));
    EXPECT_EQ(requeued->queued, attempt < 3 ? 1 : 0);
    EXPECT_EQ(requeued->poisoned, attempt < 3 ? 0 : 1);
  }
  const JobRecord job = Get(key);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error.reason, "POISON");
  EXPECT_EQ(job.error.code, absl::StatusCode::kInternal);
}

TEST_P(JobStoreContract, CancelsWhatWasCancellingWhenTheServerDied) {
  Insert(MakeJob());
  const JobRecord job = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Cancel(job.key)));
  store_->Reopen();
  EXPECT_EQ(jobs().RequeueRunning()->cancelled, 1);
  EXPECT_EQ(Get(job.key).state, JobState::kCancelled);
}

TEST_P(JobStoreContract, ExpiresQueuedJobs) {
  NewJob job = MakeJob();
  job.deadline_micros = store_->clock.NowMicros() + 1'000'000;
  const JobKey key = Insert(job).key;
  EXPECT_EQ(*jobs().ExpireQueued(), 0);
  store_->clock.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(jobs().Claim("w", 1)->empty());
  EXPECT_EQ(*jobs().ExpireQueued(), 1);
  EXPECT_EQ(Get(key).state, JobState::kExpired);
}

TEST_P(JobStoreContract, TellsSubscribers) {
  std::mutex mutex;
  std::vector<JobChange> changes;
  int queued = 0;
  const JobKey key{"default", "watched"};
  const uint64_t job_subscription = jobs().Subscribe(key, [&](const JobChange& change) {
    const std::lock_guard<std::mutex> lock(mutex);
    changes.push_back(change);
  });
  const uint64_t queue_subscription = jobs().SubscribeQueue([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ++queued;
  });
  Insert(MakeJob("watched"));
  Insert(MakeJob("unwatched"));
  const JobRecord job = ClaimOne();
  ASSERT_TRUE(Succeeds(jobs().Release(job.key, job.token, ReleaseReason::kRetry)));
  ASSERT_TRUE(Succeeds(jobs().Cancel(key)));
  ASSERT_TRUE(Succeeds(jobs().Delete(key)));
  jobs().Unsubscribe(job_subscription);
  jobs().Unsubscribe(queue_subscription);
  Insert(MakeJob("watched"));
  const std::lock_guard<std::mutex> lock(mutex);
  EXPECT_EQ(queued, 3);
  ASSERT_EQ(changes.size(), 5u);
  EXPECT_EQ(changes[0].state, JobState::kQueued);
  EXPECT_EQ(changes[1].state, JobState::kRunning);
  EXPECT_EQ(changes[3].state, JobState::kCancelled);
  EXPECT_EQ(changes[3].last_sequence, 4);
  EXPECT_TRUE(changes[4].deleted);
}

TEST_P(JobStoreContract, HandsOutEachAttemptOnce) {
  constexpr int kJobs = 60, kThreads = 8;
  for (int i = 0; i < kJobs; ++i) Insert(MakeJob());
  std::mutex mutex;
  std::multiset<std::pair<std::string, int>> attempts;
  std::set<int64_t> tokens;
  std::atomic<int> finished{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (finished < kJobs) {
        const auto claimed = jobs().Claim(absl::StrFormat("w%d", t), 2);
        if (!claimed.ok()) continue;
        for (const JobRecord& job : *claimed) {
          {
            const std::lock_guard<std::mutex> lock(mutex);
            attempts.emplace(job.key.id, job.attempt);
            tokens.insert(job.token);
          }
          // Every first attempt is given back, every second one ends the job.
          if (job.attempt == 1) {
            EXPECT_TRUE(Succeeds(jobs().Release(job.key, job.token, ReleaseReason::kRetry)));
          } else {
            EXPECT_TRUE(Succeeds(jobs().Complete(job.key, job.token, Success())));
            ++finished;
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(attempts.size(), size_t{2 * kJobs});
  EXPECT_EQ(std::set(attempts.begin(), attempts.end()).size(), size_t{2 * kJobs});
  EXPECT_EQ(tokens.size(), size_t{2 * kJobs});
  const auto all = jobs().List({"default", {JobState::kSucceeded}}, 1000, 0);
  ASSERT_TRUE(Succeeds(all));
  EXPECT_EQ(all->jobs.size(), size_t{kJobs});
  for (const JobRecord& job : all->jobs) EXPECT_EQ(EventStates(job.key).size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(
    Stores, JobStoreContract,
    testing::Values(std::pair<const char*, Factory>("sqlite", [] { return std::make_unique<LocalStoreUnderTest>(); })),
    [](const auto& store) { return store.param.first; });

}  // namespace
}  // namespace lathe
