// What the services do with requests that are too large, too many, malformed or out of turn: every refusal has one
// reason, names its field, and costs the server nothing.
#include "server/limits.h"

#include <set>
#include <thread>

#include "common/digest.h"
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

class LimitsTest : public ServerTest {
 protected:
  template <typename Stub, typename Request, typename Response>
  RpcError ErrorOf(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request) {
    grpc::ClientContext context;
    Response response;
    return Decode((stub.*method)(&context, request, &response));
  }
  // The error of a method whose request has only a name.
  template <typename Request, typename Stub, typename Response>
  RpcError ErrorOfName(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                       const std::string& name) {
    Request request;
    request.set_name(name);
    return ErrorOf(stub, method, request);
  }
  RpcError DownloadError(const std::string& name, uint64_t offset = 0) {
    grpc::ClientContext context;
    v1::DownloadArtifactRequest request;
    request.set_name(name);
    request.set_offset(offset);
    auto reader = artifacts_->DownloadArtifact(&context, request);
    v1::DownloadArtifactResponse frame;
    while (reader->Read(&frame)) {
    }
    return Decode(reader->Finish());
  }
  v1::Upload Create(const std::string& bytes, const std::string& request_id = "") {
    grpc::ClientContext context;
    v1::CreateUploadRequest request = UploadRequest(bytes);
    request.set_request_id(request_id);
    v1::Upload upload;
    const grpc::Status status = artifacts_->CreateUpload(&context, request, &upload);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return upload;
  }
  void DeleteArtifact(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteArtifactRequest request;
    request.set_name(name);
    google::protobuf::Empty empty;
    EXPECT_TRUE(artifacts_->DeleteArtifact(&context, request, &empty).ok());
  }
};

TEST_F(LimitsTest, HostileNamesAreOneViolation) {
  const std::vector<std::string> ids = {"../../../etc/passwd",
                                        "..",
                                        "",
                                        "j-1/",
                                        "J-1",
                                        "j 1",
                                        "j%2f1",
                                        "j\n1",
                                        std::string("j\0001", 3),
                                        "j\x1e"
                                        "spec\x1f"
                                        "forged",
                                        "j'; DROP TABLE job; --",
                                        "\xE2\x98\xA0",
                                        std::string(64, 'j'),
                                        std::string(100'000, 'j')};
  for (const std::string& id : ids) {
    const std::string job = "projects/default/jobs/" + id, artifact = "projects/default/artifacts/" + id,
                      upload = "projects/default/uploads/" + id;
    grpc::Status watch;
    Watch(job, 0, &watch);
    for (const RpcError& error :
         {ErrorOfName<v1::GetJobRequest>(*jobs_, &v1::JobService::Stub::GetJob, job),
          ErrorOfName<v1::CancelJobRequest>(*jobs_, &v1::JobService::Stub::CancelJob, job),
          ErrorOfName<v1::RetryJobRequest>(*jobs_, &v1::JobService::Stub::RetryJob, job),
          ErrorOfName<v1::DeleteJobRequest>(*jobs_, &v1::JobService::Stub::DeleteJob, job), Decode(watch),
          ErrorOfName<v1::GetUploadRequest>(*artifacts_, &v1::ArtifactService::Stub::GetUpload, upload),
          ErrorOfName<v1::StatArtifactRequest>(*artifacts_, &v1::ArtifactService::Stub::StatArtifact, artifact),
          ErrorOfName<v1::DeleteArtifactRequest>(*artifacts_, &v1::ArtifactService::Stub::DeleteArtifact, artifact),
          DownloadError(artifact)}) {
      EXPECT_EQ(error.reason, "BAD_REQUEST") << id.substr(0, 80);
      EXPECT_THAT(error.violated_fields, ElementsAre("name")) << id.substr(0, 80);
    }
  }
}

TEST_F(LimitsTest, HugeLabelMaps) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  for (int i = 0; i < 64; ++i) (*request.mutable_labels())["k" + std::to_string(i)] = std::string(63, 'v');
  EXPECT_EQ(Submit(request).labels_size(), 64);
  (*request.mutable_labels())["one-more"] = "";
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request).violated_fields, ElementsAre("labels"));
  for (int i = 0; i < 30'000; ++i) (*request.mutable_labels())[std::string(70, 'x') + std::to_string(i)] = "";
  const RpcError many = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request);
  EXPECT_EQ(many.reason, "BAD_REQUEST");
  EXPECT_THAT(many.violated_fields, Contains("labels"));
  v1::CreateUploadRequest upload = UploadRequest("bytes");
  *upload.mutable_labels() = request.labels();
  EXPECT_THAT(ErrorOf(*artifacts_, &v1::ArtifactService::Stub::CreateUpload, upload).violated_fields,
              Contains("labels"));
}

TEST_F(LimitsTest, LongRequestIds) {
  v1::CreateUploadRequest upload = UploadRequest("bytes");
  upload.set_request_id(std::string(65, 'r'));
  EXPECT_THAT(ErrorOf(*artifacts_, &v1::ArtifactService::Stub::CreateUpload, upload).violated_fields,
              ElementsAre("request_id"));
  upload.set_request_id(std::string(64, 'r'));
  EXPECT_EQ(ErrorOf(*artifacts_, &v1::ArtifactService::Stub::CreateUpload, upload).code, grpc::StatusCode::OK);
  const v1::Job job = SubmitOne();
  v1::RetryJobRequest retry;
  retry.set_name(job.name());
  retry.set_request_id(std::string(65, 'r'));
  EXPECT_THAT(ErrorOf(*jobs_, &v1::JobService::Stub::RetryJob, retry).violated_fields, ElementsAre("request_id"));
}

TEST_F(LimitsTest, RefusesASpecThatItCouldNotReturn) {
  v1::SubmitJobRequest request = OptimizeRequest(Upload("a model"));
  for (int i = 0; i < 20'000; ++i) {
    request.mutable_spec()->mutable_optimize()->mutable_recipe()->add_rules()->mutable_selector()->set_name_regex(
        "a_tensor_with_a_long_name_" + std::to_string(i));
  }
  const RpcError error = ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, request);
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(error.violated_fields, ElementsAre("spec"));
}

TEST_F(LimitsTest, PagesStayBelowTheMessageLimit) {
  const std::string model = Upload("a model");
  constexpr int kCount = 12;
  for (int i = 0; i < kCount; ++i) {
    NewJob job;
    job.project = "default";
    job.kind = "optimize";
    v1::JobSpec spec;
    spec.mutable_optimize()->set_model(std::string(limits::kSpecBytesMax - 100, 'm'));
    job.spec = spec.SerializeAsString();
    ASSERT_TRUE(storage_->jobs().Insert(job, limits::kQueuedJobsMax).ok());
    ArtifactRecord artifact;
    artifact.project = "default";
    artifact.sha256 = HexDigest(std::to_string(i));
    artifact.labels = {{"k", std::string(limits::kSpecBytesMax, 'v')}};
    ASSERT_TRUE(storage_->artifacts().index().PutArtifact(artifact).ok());
  }
  std::set<std::string> jobs, artifacts;
  v1::ListJobsRequest list;
  list.set_page_size(1000);
  do {
    grpc::ClientContext context;
    v1::ListJobsResponse page;
    const grpc::Status status = jobs_->ListJobs(&context, list, &page);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::Job& job : page.jobs()) EXPECT_TRUE(jobs.insert(job.name()).second);
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(jobs.size(), kCount);
  v1::ListArtifactsRequest list_artifacts;
  list_artifacts.set_page_size(4'000'000'000);
  do {
    grpc::ClientContext context;
    v1::ListArtifactsResponse page;
    const grpc::Status status = artifacts_->ListArtifacts(&context, list_artifacts, &page);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::Artifact& artifact : page.artifacts()) EXPECT_TRUE(artifacts.insert(artifact.name()).second);
    list_artifacts.set_page_token(page.next_page_token());
  } while (!list_artifacts.page_token().empty());
  EXPECT_EQ(artifacts.size(), kCount + 1);
}

TEST_F(LimitsTest, LargeFrames) {
  const std::string bytes(5 << 20, 'b');
  const v1::Upload upload = Create(bytes);
  for (const size_t size : {size_t{limits::kUploadFrameBytesMax} + 1, size_t{0}, bytes.size()}) {
    grpc::ClientContext context;
    v1::Artifact artifact;
    auto writer = artifacts_->UploadArtifact(&context, &artifact);
    v1::UploadArtifactRequest frame;
    frame.mutable_header()->set_upload(upload.name());
    ASSERT_TRUE(writer->Write(frame));
    frame.set_data(bytes.substr(0, size));
    writer->Write(frame);
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (size == bytes.size()) {  // above the message limit: gRPC's own answer
      EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    } else {
      EXPECT_THAT(Decode(status).violated_fields, ElementsAre("data")) << size;
    }
  }
  // Nothing of it was kept, and the upload is free again once the server has seen the end of the call.
  v1::Artifact artifact;
  while (metrics_->Text().find("lathe_rpc_in_flight 0") == std::string::npos) std::this_thread::yield();
  const grpc::Status sent = Send(upload.name(), 0, bytes, &artifact);
  EXPECT_TRUE(sent.ok()) << sent.error_message();
}

TEST_F(LimitsTest, OneWriterForEachUpload) {
  const std::string bytes = "0123456789";
  const v1::Upload upload = Create(bytes);
  grpc::ClientContext context;
  v1::Artifact artifact;
  auto writer = artifacts_->UploadArtifact(&context, &artifact);
  v1::UploadArtifactRequest frame;
  frame.mutable_header()->set_upload(upload.name());
  ASSERT_TRUE(writer->Write(frame));
  frame.set_data(bytes.substr(0, 5));
  ASSERT_TRUE(writer->Write(frame));
  while (metrics_->Text().find("lathe_upload_bytes_total 5") == std::string::npos) std::this_thread::yield();
  v1::Artifact other;
  const RpcError busy = Decode(Send(upload.name(), 0, bytes, &other));
  EXPECT_EQ(busy.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(busy.reason, "UPLOAD_BUSY");
  frame.set_data(bytes.substr(5));
  ASSERT_TRUE(writer->Write(frame));
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(artifact.name(), "projects/default/artifacts/" + HexDigest(bytes));
}

TEST_F(LimitsTest, OffsetsAtTheEndOfTheRange) {
  const std::string name = Upload("some bytes");
  EXPECT_EQ(DownloadError(name, UINT64_MAX).reason, "OFFSET_MISMATCH");
  EXPECT_EQ(DownloadError(name, uint64_t{1} << 63).reason, "OFFSET_MISMATCH");
  const v1::Upload upload = Create("other bytes");
  v1::Artifact artifact;
  for (const uint64_t offset : {UINT64_MAX, uint64_t{1} << 63, uint64_t{1}}) {
    const RpcError error = Decode(Send(upload.name(), offset, "x", &artifact));
    EXPECT_EQ(error.code, grpc::StatusCode::OUT_OF_RANGE);
    EXPECT_EQ(error.reason, "OFFSET_MISMATCH");
    EXPECT_EQ(error.metadata.at("committed_size"), "0");
  }
}

TEST_F(LimitsTest, WhatWasDeletedIsNotFound) {
  const v1::Upload upload = Create("some bytes", "id");
  v1::Artifact artifact;
  ASSERT_TRUE(Send(upload.name(), 0, "some bytes", &artifact).ok());
  DeleteArtifact(artifact.name());
  EXPECT_EQ(DownloadError(artifact.name()).reason, "ARTIFACT_NOT_FOUND");
  EXPECT_EQ(Decode(Send(upload.name(), 0, "some bytes", &artifact)).reason, "UPLOAD_COMMITTED");
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, OptimizeRequest(artifact.name())).reason,
            "ARTIFACT_NOT_FOUND");
  EXPECT_EQ(Upload("some bytes"), artifact.name());

  const v1::Job job = SubmitOne();
  executor_->WaitForAttempts(1);
  executor_->Succeed("x");
  Watch(job.name(), 0);
  v1::DeleteJobRequest request;
  request.set_name(job.name());
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::DeleteJob, request).code, grpc::StatusCode::OK);
  grpc::Status watch;
  Watch(job.name(), 0, &watch);
  EXPECT_EQ(Decode(watch).reason, "JOB_NOT_FOUND");
  EXPECT_EQ(ErrorOf(*jobs_, &v1::JobService::Stub::DeleteJob, request).reason, "JOB_NOT_FOUND");
}

TEST_F(LimitsTest, AFullQueueSaysWhenToTryAgain) {
  const v1::Job running = SubmitOne();
  executor_->WaitForAttempts(1);
  NewJob job;
  job.project = "default";
  for (int64_t i = 0; i < limits::kQueuedJobsMax; ++i) {
    ASSERT_TRUE(storage_->jobs().Insert(job, limits::kQueuedJobsMax).ok());
  }
  const RpcError error =
      ErrorOf(*jobs_, &v1::JobService::Stub::SubmitJob, OptimizeRequest(running.spec().optimize().model()));
  EXPECT_EQ(error.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(error.reason, "QUEUE_FULL");
  EXPECT_TRUE(error.has_retry_info);
}

}  // namespace
}  // namespace lathe
