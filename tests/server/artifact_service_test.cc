#include "server/artifact_service.h"

#include "common/digest.h"
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class ArtifactServiceTest : public ServerTest {
 protected:
  v1::Upload Create(const v1::CreateUploadRequest& request) {
    grpc::ClientContext context;
    v1::Upload upload;
    const grpc::Status status = artifacts_->CreateUpload(&context, request, &upload);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return upload;
  }
  v1::Upload GetUpload(const std::string& name) {
    grpc::ClientContext context;
    v1::GetUploadRequest request;
    request.set_name(name);
    v1::Upload upload;
    const grpc::Status status = artifacts_->GetUpload(&context, request, &upload);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return upload;
  }
  struct Download {
    std::string bytes;
    v1::DownloadArtifactResponse::Header header;
    std::string sha256;
    grpc::Status status;
  };
  Download Get(const std::string& name, uint64_t offset = 0, uint64_t limit = 0) {
    grpc::ClientContext context;
    v1::DownloadArtifactRequest request;
    request.set_name(name);
    request.set_offset(offset);
    request.set_limit(limit);
    auto reader = artifacts_->DownloadArtifact(&context, request);
    Download download;
    v1::DownloadArtifactResponse frame;
    while (reader->Read(&frame)) {
      if (frame.has_header()) download.header = frame.header();
      if (frame.has_data()) download.bytes += frame.data();
      if (frame.has_trailer()) download.sha256 = frame.trailer().sha256();
    }
    download.status = reader->Finish();
    return download;
  }
};

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13);
  return bytes;
}

TEST_F(ArtifactServiceTest, UploadsAndDownloads) {
  const std::string bytes = Bytes(3'000'001);
  const std::string name = Upload(bytes);
  EXPECT_EQ(name, "projects/default/artifacts/" + HexDigest(bytes));
  const Download whole = Get(name);
  ASSERT_TRUE(whole.status.ok()) << whole.status.error_message();
  EXPECT_EQ(whole.bytes, bytes);
  EXPECT_EQ(whole.header.length(), bytes.size());
  EXPECT_EQ(whole.header.artifact().name(), name);
  EXPECT_EQ(whole.sha256, UploadRequest(bytes).sha256());
  const Download part = Get(name, 1000, 5000);
  EXPECT_EQ(part.bytes, bytes.substr(1000, 5000));
  EXPECT_EQ(part.sha256, UploadRequest(part.bytes).sha256());
  EXPECT_EQ(Get(name, bytes.size()).bytes, "");
  EXPECT_EQ(Decode(Get(name, bytes.size() + 1).status).code, grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(ArtifactServiceTest, SaysWhenTheBytesAreThere) {
  const std::string name = Upload("content");
  const v1::Upload again = Create(UploadRequest("content"));
  EXPECT_TRUE(again.already_present());
  EXPECT_EQ(again.artifact().name(), name);
}

TEST_F(ArtifactServiceTest, ResumesABrokenUpload) {
  const std::string bytes = Bytes(2'500'000);
  const v1::Upload upload = Create(UploadRequest(bytes));
  {
    grpc::ClientContext context;
    v1::Artifact artifact;
    auto writer = artifacts_->UploadArtifact(&context, &artifact);
    v1::UploadArtifactRequest frame;
    frame.mutable_header()->set_upload(upload.name());
    ASSERT_TRUE(writer->Write(frame));
    frame.set_data(bytes.substr(0, 1'000'000));
    ASSERT_TRUE(writer->Write(frame));
    writer->WritesDone();  // too early
    const RpcError error = Decode(writer->Finish());
    EXPECT_EQ(error.reason, "SIZE_MISMATCH");
  }
  StopServer();
  StartServer();  // what was received survives
  EXPECT_EQ(GetUpload(upload.name()).committed_size_bytes(), 1'000'000U);
  v1::Artifact artifact;
  const RpcError wrong = Decode(Send(upload.name(), 999, "x", &artifact));
  EXPECT_EQ(wrong.code, grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(wrong.reason, "OFFSET_MISMATCH");
  EXPECT_EQ(wrong.metadata.at("committed_size"), "1000000");
  const grpc::Status sent = Send(upload.name(), 1'000'000, bytes.substr(1'000'000), &artifact);
  ASSERT_TRUE(sent.ok()) << sent.error_message();
  EXPECT_EQ(Get(artifact.name()).bytes, bytes);
  EXPECT_EQ(GetUpload(upload.name()).state(), v1::Upload::COMMITTED);
  // Sent again by a client that missed the answer.
  EXPECT_TRUE(Send(upload.name(), 0, "", &artifact).ok());
}

TEST_F(ArtifactServiceTest, RefusesOtherBytes) {
  const v1::Upload upload = Create(UploadRequest("the right bytes"));
  v1::Artifact artifact;
  const RpcError error = Decode(Send(upload.name(), 0, "the wrong bytes", &artifact));
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(error.reason, "DIGEST_MISMATCH");
  EXPECT_EQ(GetUpload(upload.name()).state(), v1::Upload::FAILED);
}

TEST_F(ArtifactServiceTest, RefusesMoreBytesThanDeclared) {
  const v1::Upload upload = Create(UploadRequest("short"));
  v1::Artifact artifact;
  EXPECT_EQ(Decode(Send(upload.name(), 0, "short and more", &artifact)).reason, "SIZE_MISMATCH");
}

TEST_F(ArtifactServiceTest, RefusesAMalformedStream) {
  v1::Artifact artifact;
  grpc::ClientContext context;
  auto writer = artifacts_->UploadArtifact(&context, &artifact);
  v1::UploadArtifactRequest frame;
  frame.set_data("x");
  writer->Write(frame);
  writer->WritesDone();
  EXPECT_THAT(Decode(writer->Finish()).violated_fields, ElementsAre("frame"));
  EXPECT_EQ(Decode(Send("projects/default/uploads/u-none", 0, "x", &artifact)).reason, "UPLOAD_NOT_FOUND");
}

TEST_F(ArtifactServiceTest, ChecksTheFieldsOfAnUpload) {
  v1::CreateUploadRequest request;
  request.set_sha256("short");
  request.set_kind(v1::Artifact::LOG);
  grpc::ClientContext context;
  v1::Upload upload;
  const RpcError error = Decode(artifacts_->CreateUpload(&context, request, &upload));
  EXPECT_THAT(error.violated_fields, UnorderedElementsAre("sha256", "size_bytes", "kind"));
}

TEST_F(ArtifactServiceTest, ListsAndDeletes) {
  const std::string model = Upload("a model"), data = Upload("some data", v1::Artifact::DATASET);
  v1::ListArtifactsRequest list;
  list.set_kind(v1::Artifact::DATASET);
  v1::ListArtifactsResponse listed;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(artifacts_->ListArtifacts(&context, list, &listed).ok());
  }
  ASSERT_EQ(listed.artifacts_size(), 1);
  EXPECT_EQ(listed.artifacts(0).name(), data);

  Submit(OptimizeRequest(model));
  v1::DeleteArtifactRequest request;
  google::protobuf::Empty empty;
  {
    grpc::ClientContext context;
    request.set_name(model);
    EXPECT_EQ(Decode(artifacts_->DeleteArtifact(&context, request, &empty)).reason, "ARTIFACT_IN_USE");
  }
  {
    grpc::ClientContext context;
    request.set_name(data);
    EXPECT_TRUE(artifacts_->DeleteArtifact(&context, request, &empty).ok());
  }
  grpc::ClientContext context;
  v1::StatArtifactRequest stat;
  stat.set_name(data);
  v1::Artifact artifact;
  EXPECT_EQ(Decode(artifacts_->StatArtifact(&context, stat, &artifact)).reason, "ARTIFACT_NOT_FOUND");
}

}  // namespace
}  // namespace lathe
