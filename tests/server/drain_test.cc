// server.cc and open_streams.cc while the server stops.
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using DrainTest = ServerTest;

TEST_F(DrainTest, RefusesNewWorkAndEndsWatches) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  auto health = Health::NewStub(channel_);
  grpc::ClientContext health_context, watch_context;
  auto health_reader = health->Watch(&health_context, HealthCheckRequest());
  HealthCheckResponse status;
  ASSERT_TRUE(health_reader->Read(&status));
  EXPECT_EQ(status.status(), HealthCheckResponse::SERVING);
  v1::WatchJobRequest watch;
  watch.set_name(job.name());
  auto reader = jobs_->WatchJob(&watch_context, watch);
  v1::JobEvent event;
  ASSERT_TRUE(reader->Read(&event));

  server_->StartDrain();

  ASSERT_TRUE(health_reader->Read(&status));
  EXPECT_EQ(status.status(), HealthCheckResponse::NOT_SERVING);
  while (reader->Read(&event)) {
  }
  const RpcError ended = Decode(reader->Finish());
  EXPECT_EQ(ended.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ended.reason, "DRAINING");
  EXPECT_TRUE(ended.has_retry_info);
  grpc::ClientContext context;
  v1::Job answer;
  EXPECT_EQ(
      Decode(jobs_->SubmitJob(&context,
                              job.spec().optimize().model().empty() ? v1::SubmitJobRequest()
                                                                    : OptimizeRequest(job.spec().optimize().model()),
                              &answer))
          .reason,
      "DRAINING");
  grpc::ClientContext upload_context, retry_context, inspect_context;
  v1::Upload upload;
  EXPECT_EQ(Decode(artifacts_->CreateUpload(&upload_context, UploadRequest("bytes"), &upload)).reason, "DRAINING");
  v1::Artifact artifact;
  EXPECT_EQ(Decode(Send("projects/default/uploads/u-1", 0, "x", &artifact)).reason, "DRAINING");
  v1::RetryJobRequest retry;
  retry.set_name(job.name());
  EXPECT_EQ(Decode(jobs_->RetryJob(&retry_context, retry, &answer)).reason, "DRAINING");
  v1::InspectModelRequest inspect;
  v1::InspectModelResponse inspected;
  EXPECT_EQ(Decode(models_->InspectModel(&inspect_context, inspect, &inspected)).reason, "DRAINING");
  EXPECT_EQ(Get(job.name()).state(), v1::Job::RUNNING);  // reads go on
  health_context.TryCancel();
  while (health_reader->Read(&status)) {
  }
}

TEST_F(DrainTest, RunningJobGoesOnAfterARestart) {
  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  StopServer();  // the attempt is given back
  StartServer();
  executor_->WaitForAttempts(1);
  executor_->Succeed("x");
  EXPECT_EQ(Watch(job.name(), 0).back().state_change().state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Get(job.name()).attempt(), 1U) << "a drained attempt does not count";
}

TEST_F(DrainTest, ShutdownEndsAnIdleUpload) {
  const std::string bytes(100, 'x');
  grpc::ClientContext create_context, context;
  v1::Upload upload;
  ASSERT_TRUE(artifacts_->CreateUpload(&create_context, UploadRequest(bytes), &upload).ok());
  v1::Artifact artifact;
  auto writer = artifacts_->UploadArtifact(&context, &artifact);
  v1::UploadArtifactRequest frame;
  frame.mutable_header()->set_upload(upload.name());
  ASSERT_TRUE(writer->Write(frame));
  frame.set_data("first 10 b");
  ASSERT_TRUE(writer->Write(frame));
  // Until the server has the call: one that it never saw ends as CANCELLED.
  while (metrics_->Text().find("lathe_upload_bytes_total 10") == std::string::npos) std::this_thread::yield();
  server_->Shutdown(std::chrono::seconds(5));
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace lathe
