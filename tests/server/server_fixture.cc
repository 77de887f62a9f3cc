#include "tests/server/server_fixture.h"

#include <fstream>
#include <utility>

#include "common/digest.h"
#include "google/rpc/status.pb.h"
#include "lathe/v1/job.pb.h"

namespace lathe {

absl::StatusOr<JobProduct> ScriptedExecutor::Execute(const ClaimedJob& job,
                                                     const std::function<void(std::string)>& on_progress,
                                                     const CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  ++begun_;
  changed_.notify_all();
  while (true) {
    // A cancel token cannot wake a waiter, so that it is asked every few milliseconds.
    if (!changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return !steps_.empty(); })) {
      LATHE_RETURN_IF_ERROR(cancel.Check());
      continue;
    }
    Step step = std::move(steps_.front());
    steps_.pop_front();
    changed_.notify_all();
    if (step.progress.has_value()) {
      v1::Progress progress;
      progress.set_phase("calibrate");
      progress.set_fraction(*step.progress);
      on_progress(progress.SerializeAsString());
      continue;
    }
    if (!step.error.ok()) return step.error;
    const std::string path = "out.tflite";
    std::ofstream(job.job_dir + "/" + path, std::ios::binary) << *step.model_bytes;
    JobProduct product;
    product.outputs.push_back({"model", path, v1::Artifact::MODEL, "application/octet-stream"});
    product.result = [](const std::vector<PublishedOutput>& outputs) {
      v1::JobResult result;
      auto* output = result.add_outputs();
      output->set_role(v1::JobResult::Output::MODEL);
      output->set_artifact("projects/default/artifacts/" + outputs[0].sha256);
      output->set_size_bytes(outputs[0].size_bytes);
      result.mutable_report()->add_operators()->set_kind("CONV_2D");
      return result.SerializeAsString();
    };
    return product;
  }
}

void ScriptedExecutor::WaitForAttempts(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return begun_ >= count; });
}

void ScriptedExecutor::Push(Step step) {
  std::unique_lock lock(mutex_);
  steps_.push_back(std::move(step));
  changed_.notify_all();
  changed_.wait(lock, [this] { return steps_.empty(); });
}

void ScriptedExecutor::Progress(double fraction) { Push({fraction, std::nullopt, absl::OkStatus()}); }
void ScriptedExecutor::Succeed(const std::string& bytes) { Push({std::nullopt, bytes, absl::OkStatus()}); }
void ScriptedExecutor::Fail(const absl::Status& status) { Push({std::nullopt, std::nullopt, status}); }

RpcError Decode(const grpc::Status& status) {
  RpcError error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code()) << status.error_message();
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    if (any.UnpackTo(&info)) {
      ++error.error_infos;
      error.reason = info.reason();
      EXPECT_EQ(info.domain(), "lathe");
      error.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) error.violated_fields.push_back(violation.field());
    } else {
      error.has_retry_info = error.has_retry_info || any.Is<google::rpc::RetryInfo>();
    }
  }
  EXPECT_EQ(error.error_infos, status.ok() ? 0 : 1) << status.error_message();
  return error;
}

void ServerTest::StartServer() {
  metrics_ = std::make_unique<Metrics>();
  executor_ = std::make_unique<ScriptedExecutor>();
  auto storage = LocalStorage::Open(dir_.path() + "/data", {.free_fraction = [] { return 0.5; }}, clock_);
  ASSERT_TRUE(storage.ok()) << storage.status();
  storage_ = *std::move(storage);
  storage_->jobs().SubscribeEnds([metrics = metrics_.get()](const JobEnd& end) {
    metrics->JobFinished(end.kind, end.preset, JobStateName(end.state), end.reason);
  });
  ASSERT_TRUE(storage_->jobs().RequeueRunning().ok());
  WorkerOptions options;
  options.name = "test";
  options.jobs_dir = storage_->jobs_dir();
  options.progress_interval = std::chrono::milliseconds(1);
  options.retry_delay = std::chrono::milliseconds(0);
  worker_ =
      std::make_unique<WorkerLoop>(options, storage_->jobs(), storage_->artifacts(), *executor_, *metrics_, clock_);
  ASSERT_TRUE(worker_->Start().ok());
  ServerOptions server;
  server.listen = "127.0.0.1:0";
  server.executor_path = dir_.path() + "/no-executor";
  server.jobs_dir = storage_->jobs_dir();
  server_ = std::make_unique<Server>(server, storage_->jobs(), storage_->artifacts(), *metrics_, clock_);
  const auto address = server_->Start();
  ASSERT_TRUE(address.ok()) << address.status();
  channel_ = grpc::CreateChannel(*address, grpc::InsecureChannelCredentials());
  jobs_ = v1::JobService::NewStub(channel_);
  artifacts_ = v1::ArtifactService::NewStub(channel_);
  models_ = v1::ModelService::NewStub(channel_);
  catalog_ = v1::CatalogService::NewStub(channel_);
}

void ServerTest::StopServer() {
  server_ = nullptr;
  worker_ = nullptr;
  storage_ = nullptr;
}

v1::CreateUploadRequest ServerTest::UploadRequest(const std::string& bytes, v1::Artifact::Kind kind) {
  v1::CreateUploadRequest request;
  Sha256 hash;
  hash.Update(std::string_view(bytes));
  const Digest digest = hash.Finish();
  request.set_sha256(digest.data(), digest.size());
  request.set_size_bytes(bytes.size());
  request.set_kind(kind);
  return request;
}

grpc::Status ServerTest::Send(const std::string& upload, uint64_t offset, const std::string& bytes,
                              v1::Artifact* artifact) {
  grpc::ClientContext context;
  auto writer = artifacts_->UploadArtifact(&context, artifact);
  v1::UploadArtifactRequest frame;
  frame.mutable_header()->set_upload(upload);
  frame.mutable_header()->set_offset(offset);
  bool open = writer->Write(frame);
  constexpr size_t kFrame = 1 << 20;
  for (size_t at = 0; open && at < bytes.size(); at += kFrame) {
    frame.set_data(bytes.substr(at, kFrame));
    open = writer->Write(frame);
  }
  writer->WritesDone();
  return writer->Finish();
}

std::string ServerTest::Upload(const std::string& bytes, v1::Artifact::Kind kind) {
  grpc::ClientContext context;
  v1::Upload upload;
  const grpc::Status created = artifacts_->CreateUpload(&context, UploadRequest(bytes, kind), &upload);
  EXPECT_TRUE(created.ok()) << created.error_message();
  if (upload.already_present()) return upload.artifact().name();
  v1::Artifact artifact;
  const grpc::Status sent = Send(upload.name(), 0, bytes, &artifact);
  EXPECT_TRUE(sent.ok()) << sent.error_message();
  return artifact.name();
}

v1::SubmitJobRequest ServerTest::OptimizeRequest(const std::string& model) {
  v1::SubmitJobRequest request;
  request.mutable_spec()->mutable_optimize()->set_model(model);
  request.mutable_spec()->mutable_optimize()->mutable_recipe()->set_preset("dynamic-range");
  return request;
}

v1::Job ServerTest::Submit(const v1::SubmitJobRequest& request) {
  grpc::ClientContext context;
  v1::Job job;
  const grpc::Status status = jobs_->SubmitJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job ServerTest::Get(const std::string& name) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_name(name);
  v1::Job job;
  const grpc::Status status = jobs_->GetJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

std::vector<v1::JobEvent> ServerTest::Watch(const std::string& name, uint64_t after, grpc::Status* status) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_name(name);
  request.set_after_sequence(after);
  auto reader = jobs_->WatchJob(&context, request);
  std::vector<v1::JobEvent> events;
  v1::JobEvent event;
  while (reader->Read(&event)) events.push_back(event);
  const grpc::Status end = reader->Finish();
  if (status != nullptr) {
    *status = end;
  } else {
    EXPECT_TRUE(end.ok()) << end.error_message();
  }
  return events;
}

}  // namespace lathe
