// watch_stream.cc through job_service.cc: what a client sees of a job that runs.
#include "server/watch_stream.h"
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using WatchJobTest = ServerTest;

TEST_F(WatchJobTest, SnapshotThenEventsWithoutGaps) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  executor_->Progress(0.5);
  executor_->Succeed("x");
  const auto events = Watch(job.name(), 0);
  ASSERT_GE(events.size(), 3U);
  EXPECT_TRUE(events.front().has_snapshot());
  EXPECT_EQ(events.front().sequence(), 0U);
  bool progressed = false;
  for (size_t i = 1; i < events.size(); ++i) {
    EXPECT_EQ(events[i].sequence(), i);
    progressed = progressed || events[i].progress().fraction() == 0.5;
  }
  EXPECT_TRUE(progressed);
  EXPECT_EQ(events.back().state_change().job().state(), v1::Job::SUCCEEDED);
}

TEST_F(WatchJobTest, ResumesAfterASequence) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  executor_->Succeed("x");
  const auto all = Watch(job.name(), 0);
  const auto rest = Watch(job.name(), 2);
  EXPECT_TRUE(rest.front().has_snapshot());
  EXPECT_EQ(rest.front().sequence(), 2U);
  ASSERT_EQ(rest.size(), all.size() - 2);
  EXPECT_EQ(rest[1].sequence(), 3U);
  const auto none = Watch(job.name(), all.back().sequence());
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].snapshot().state(), v1::Job::SUCCEEDED);
}

TEST_F(WatchJobTest, RefusesASequenceBeyondTheEnd) {
  grpc::Status status;
  Watch(SubmitOne().name(), 1000, &status);
  EXPECT_THAT(Decode(status).violated_fields, ElementsAre("after_sequence"));
}

TEST_F(WatchJobTest, UnknownJobIsNotFound) {
  grpc::Status status;
  Watch("projects/default/jobs/j-none", 0, &status);
  EXPECT_EQ(Decode(status).reason, "JOB_NOT_FOUND");
  Watch("nonsense", 0, &status);
  EXPECT_EQ(Decode(status).reason, "BAD_REQUEST");
}

TEST_F(WatchJobTest, EndsWhenTheCallerGoesAway) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_name(job.name());
  auto reader = jobs_->WatchJob(&context, request);
  v1::JobEvent event;
  ASSERT_TRUE(reader->Read(&event));
  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  executor_->Succeed("x");
  Watch(job.name(), 0);  // the server still serves
}

}  // namespace
}  // namespace lathe
