#ifndef LATHE_TESTS_SERVER_SERVER_FIXTURE_H_
#define LATHE_TESTS_SERVER_SERVER_FIXTURE_H_

// A real server on a loopback port, with real stores in a temporary folder and the real worker loop around a scripted
// executor.

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/metrics.h"
#include "lathe/v1/artifact_service.grpc.pb.h"
#include "lathe/v1/catalog_service.grpc.pb.h"
#include "lathe/v1/job_service.grpc.pb.h"
#include "lathe/v1/model_service.grpc.pb.h"
#include "server/server.h"
#include "storage/local_storage.h"
#include "tests/support/shared_dir.h"
#include "worker/job_executor.h"
#include "worker/worker_loop.h"

namespace lathe {

// Attempts wait until the test says how they go on.
class ScriptedExecutor final : public JobExecutor {
 public:
  absl::StatusOr<JobProduct> Execute(const ClaimedJob& job, const std::function<void(std::string)>& on_progress,
                                     const CancelToken& cancel) override;
  // Waits until `count` attempts have begun since the start.
  void WaitForAttempts(int count);
  // The oldest waiting attempt reports this, then waits on.
  void Progress(double fraction);
  // The oldest waiting attempt ends: with an output model of these bytes, or with the error.
  void Succeed(const std::string& model_bytes);
  void Fail(const absl::Status& status);

 private:
  struct Step {
    std::optional<double> progress;
    std::optional<std::string> model_bytes;
    absl::Status error;
  };
  void Push(Step step);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Step> steps_;
  int begun_ = 0;
};

// What a failed call carried.
struct RpcError {
  grpc::StatusCode code;
  std::string message, reason;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> violated_fields;
  bool has_retry_info = false;
  int error_infos = 0;
};
RpcError Decode(const grpc::Status& status);

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { StartServer(); }
  ~ServerTest() override { StopServer(); }

  void StartServer();
  void StopServer();

  // Uploads and returns the artifact's name.
  std::string Upload(const std::string& bytes, v1::Artifact::Kind kind = v1::Artifact::MODEL);
  v1::CreateUploadRequest UploadRequest(const std::string& bytes, v1::Artifact::Kind kind = v1::Artifact::MODEL);
  // Sends `bytes` from `offset` on.
  grpc::Status Send(const std::string& upload, uint64_t offset, const std::string& bytes, v1::Artifact* artifact);
  v1::SubmitJobRequest OptimizeRequest(const std::string& model);
  v1::Job Submit(const v1::SubmitJobRequest& request);
  // A job over a fresh upload.
  v1::Job SubmitOne() { return Submit(OptimizeRequest(Upload("a model"))); }
  v1::Job Get(const std::string& name);
  // Watches to the end.
  std::vector<v1::JobEvent> Watch(const std::string& name, uint64_t after, grpc::Status* status = nullptr);

  TempDir dir_;
  SystemClock clock_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<ScriptedExecutor> executor_;
  std::unique_ptr<LocalStorage> storage_;
  std::unique_ptr<WorkerLoop> worker_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::ArtifactService::Stub> artifacts_;
  std::unique_ptr<v1::ModelService::Stub> models_;
  std::unique_ptr<v1::CatalogService::Stub> catalog_;
};

}  // namespace lathe

#endif  // LATHE_TESTS_SERVER_SERVER_FIXTURE_H_
