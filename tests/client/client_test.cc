// The C++ client against a scripted server: what it does when connections and bytes are lost.

#include "client/cpp/client.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <fstream>

#include "common/digest.h"
#include "common/file.h"
#include "lathe/v1/artifact_service.grpc.pb.h"
#include "lathe/v1/job_service.grpc.pb.h"
#include "tests/support/shared_dir.h"
#include "wire/status.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Sha256Bytes(const std::string& bytes) {
  Sha256 sha256;
  sha256.Update(bytes);
  const Digest digest = sha256.Finish();
  return std::string(digest.begin(), digest.end());
}

grpc::Status ToGrpc(const absl::Status& status) {
  const auto rpc = RpcFromStatus(status, ErrorRoom::kTrailer);
  return grpc::Status(static_cast<grpc::StatusCode>(rpc.code()), rpc.message(), rpc.SerializeAsString());
}

const grpc::Status& Away() {
  static const grpc::Status status = ToGrpc(MakeError(absl::StatusCode::kUnavailable, "DRAINING", "ending"));
  return status;
}

// Keeps one artifact; breaks the first upload and the first download in the middle.
class ScriptedArtifacts : public v1::ArtifactService::Service {
 public:
  std::string stored;  // the bytes of the artifact
  bool damage_download = false;
  int uploads = 0, downloads = 0;
  std::vector<uint64_t> upload_offsets, download_offsets;

  grpc::Status CreateUpload(grpc::ServerContext*, const v1::CreateUploadRequest* request, v1::Upload* upload) override {
    expected_ = request->sha256();
    return FillUpload(upload);
  }
  grpc::Status GetUpload(grpc::ServerContext*, const v1::GetUploadRequest*, v1::Upload* upload) override {
    return FillUpload(upload);
  }
  grpc::Status UploadArtifact(grpc::ServerContext*, grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::Artifact* artifact) override {
    const bool lossy = ++uploads == 1;
    v1::UploadArtifactRequest frame;
    while (reader->Read(&frame)) {
      if (frame.has_header()) upload_offsets.push_back(frame.header().offset());
      EXPECT_LE(frame.data().size(), 512U << 10);
      stored += frame.data();
      if (lossy && !stored.empty()) return Away();
    }
    EXPECT_EQ(Sha256Bytes(stored), expected_);
    artifact->set_name("projects/default/artifacts/a");
    return grpc::Status::OK;
  }
  grpc::Status DownloadArtifact(grpc::ServerContext*, const v1::DownloadArtifactRequest* request,
                                grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override {
    const bool lossy = ++downloads == 1;
    download_offsets.push_back(request->offset());
    v1::DownloadArtifactResponse frame;
    frame.mutable_header()->mutable_artifact()->set_size_bytes(stored.size());
    frame.mutable_header()->mutable_artifact()->set_sha256(Sha256Bytes(stored));
    writer->Write(frame);
    std::string rest = stored.substr(request->offset());
    if (lossy) rest.resize(rest.size() / 2);
    if (damage_download) rest[0] = static_cast<char>(rest[0] ^ 1);
    frame.set_data(rest);
    writer->Write(frame);
    return lossy ? Away() : grpc::Status::OK;
  }

 private:
  grpc::Status FillUpload(v1::Upload* upload) {
    upload->set_name("projects/default/uploads/u");
    upload->set_committed_size_bytes(stored.size());
    return grpc::Status::OK;
  }
  std::string expected_;
};

// A job whose watch breaks after its second event.
class ScriptedJobs : public v1::JobService::Service {
 public:
  std::vector<uint64_t> watched_after;
  grpc::Status WatchJob(grpc::ServerContext*, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override {
    watched_after.push_back(request->after_sequence());
    const uint64_t last = request->after_sequence() == 0 ? 2 : 4;
    for (uint64_t sequence = request->after_sequence() + 1; sequence <= last; ++sequence) {
      v1::JobEvent event;
      event.set_sequence(sequence);
      event.mutable_progress()->set_fraction(0.25 * static_cast<double>(sequence));
      writer->Write(event);
    }
    return last == 2 ? Away() : grpc::Status::OK;
  }
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* job) override {
    if (request->name() == "missing") {
      return ToGrpc(MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job 'missing'"));
    }
    job->set_name(request->name());
    job->set_state(v1::Job::SUCCEEDED);
    return grpc::Status::OK;
  }
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&artifacts_);
    builder.RegisterService(&jobs_);
    server_ = builder.BuildAndStart();
    auto client = Client::Connect("127.0.0.1:" + std::to_string(port));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  ~ClientTest() override { server_->Shutdown(); }

  const TempDir folder_;
  const std::string path_ = folder_.path() + "/file";
  ScriptedArtifacts artifacts_;
  ScriptedJobs jobs_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
  CancelToken cancel_;
};

TEST_F(ClientTest, ResumesABrokenUpload) {
  std::string content;
  for (int i = 0; i < 400'000; ++i) content += std::to_string(i);
  std::ofstream(path_) << content;
  const auto artifact = client_->UploadFile(path_, v1::Artifact::MODEL, cancel_);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifacts_.stored, content);
  EXPECT_THAT(artifacts_.upload_offsets, ElementsAre(0, 512 << 10));
}

TEST_F(ClientTest, RefusesToUploadAnEmptyFile) {
  std::ofstream(path_).flush();
  EXPECT_EQ(ReasonOf(client_->UploadFile(path_, v1::Artifact::MODEL, cancel_).status()), "EMPTY_FILE");
}

TEST_F(ClientTest, ResumesABrokenDownload) {
  artifacts_.stored = std::string(100'000, 'a') + std::string(100'000, 'b');
  const absl::Status status = client_->DownloadFile("a", path_, cancel_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(*ReadFile(path_, 1 << 20), artifacts_.stored);
  EXPECT_THAT(artifacts_.download_offsets, ElementsAre(0, 100'000));
}

TEST_F(ClientTest, DoesNotWriteADamagedDownload) {
  artifacts_.stored = std::string(1000, 'a');
  artifacts_.damage_download = true;
  std::ofstream(path_) << "old";
  const absl::Status status = client_->DownloadFile("a", path_, cancel_);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), "DIGEST_MISMATCH");
  EXPECT_EQ(*ReadFile(path_, 100), "old");
}

TEST_F(ClientTest, ResumesABrokenWatchBehindTheLastEvent) {
  std::vector<uint64_t> sequences;
  const auto job = client_->WatchJob(
      "j", [&](const v1::JobEvent& event) { sequences.push_back(event.sequence()); }, cancel_);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::Job::SUCCEEDED);
  EXPECT_THAT(sequences, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(jobs_.watched_after, ElementsAre(0, 2));
}

TEST_F(ClientTest, StopsTransfersWhenCancelled) {
  artifacts_.stored = std::string(1000, 'a');
  cancel_.Cancel();
  EXPECT_EQ(client_->DownloadFile("a", path_, cancel_).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client_->WatchJob("j", {}, cancel_).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ClientTest, ReturnsTheServersErrorWithItsReason) {
  const auto job = client_->GetJob("missing");
  EXPECT_EQ(job.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(job.status()), "JOB_NOT_FOUND");
  EXPECT_THAT(std::string(job.status().message()), HasSubstr("missing"));
}

}  // namespace
}  // namespace lathe
