// The counters and gauges of jobs, over every way in which a job can end.
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JobMetricsTest : public ServerTest {
 protected:
  void Cancel(const std::string& name) {
    grpc::ClientContext context;
    v1::CancelJobRequest request;
    request.set_name(name);
    v1::Job job;
    EXPECT_TRUE(jobs_->CancelJob(&context, request, &job).ok());
  }
  static std::string Finished(const std::string& state, const std::string& reason, int count) {
    return "lathe_jobs_finished_total{kind=\"optimize\",preset=\"dynamic-range\",reason=\"" + reason + "\",state=\"" +
           state + "\"} " + std::to_string(count) + "\n";
  }
  void ServeQueueGauges() {
    metrics_->SetQueueSource([this]() -> Metrics::Queue {
      const auto counts = storage_->jobs().Counts();
      return counts.ok() ? Metrics::Queue{counts->queued, counts->running} : Metrics::Queue{};
    });
  }
};

TEST_F(JobMetricsTest, CountsEveryEndOnce) {
  const v1::Job done = SubmitOne(), queued = SubmitOne(), running = SubmitOne();
  executor_->WaitForAttempts(1);
  Cancel(queued.name());
  Cancel(queued.name());
  executor_->Succeed("x");
  executor_->WaitForAttempts(2);
  Cancel(running.name());
  Watch(running.name(), 0);
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  request.mutable_spec()->mutable_deadline()->set_nanos(1000);
  Watch(Submit(request).name(), 0);
  const v1::Job failed = SubmitOne();
  executor_->WaitForAttempts(3);
  executor_->Fail(MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "bad"));
  Watch(failed.name(), 0);
  Cancel(failed.name());
  const std::string text = metrics_->Text();
  EXPECT_THAT(text, HasSubstr(Finished("SUCCEEDED", "", 1)));
  EXPECT_THAT(text, HasSubstr(Finished("CANCELLED", "CANCELLED", 2)));
  EXPECT_THAT(text, HasSubstr(Finished("EXPIRED", "EXPIRED", 1)));
  EXPECT_THAT(text, HasSubstr(Finished("FAILED", "MODEL_CORRUPT", 1)));
}

TEST_F(JobMetricsTest, CountsWhatARestartEnds) {
  const v1::Job poison = SubmitOne();
  server_ = nullptr;
  worker_ = nullptr;  // gave it back, attempt not counted
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_EQ(storage_->jobs().Claim("one that dies", 1)->size(), 1U);
    if (attempt < 3) {
      ASSERT_TRUE(storage_->jobs().RequeueRunning().ok());
    }
  }
  StopServer();
  StartServer();
  ServeQueueGauges();
  EXPECT_EQ(Get(poison.name()).state(), v1::Job::FAILED);
  EXPECT_THAT(metrics_->Text(), HasSubstr(Finished("FAILED", "POISON", 1)));
  EXPECT_THAT(metrics_->Text(), HasSubstr("lathe_queue_depth 0\n"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("lathe_jobs_running 0\n"));
  metrics_->SetQueueSource({});
}

TEST_F(JobMetricsTest, GaugesAreRightAfterARestart) {
  for (int i = 0; i < 3; ++i) SubmitOne();
  executor_->WaitForAttempts(1);
  StopServer();
  StartServer();
  ServeQueueGauges();
  executor_->WaitForAttempts(1);
  EXPECT_THAT(metrics_->Text(), HasSubstr("lathe_queue_depth 2\n"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("lathe_jobs_running 1\n"));
  EXPECT_THAT(metrics_->Text(), Not(HasSubstr("lathe_jobs_finished_total{")));
  metrics_->SetQueueSource({});
}

}  // namespace
}  // namespace lathe
