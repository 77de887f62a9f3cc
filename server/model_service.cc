#include "server/model_service.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/random_id.h"
#include "executor/supervisor.h"
#include "server/names.h"

namespace lathe {
namespace {

constexpr RpcName Rpc(std::string_view method) { return {"ModelService", method}; }

absl::Status NotYet(std::string_view method, std::string_view instead) {
  return MakeError(absl::StatusCode::kUnimplemented, "METHOD_UNIMPLEMENTED",
                   absl::StrFormat("%s is not implemented in this version; %s", method, instead));
}

// A folder for one executor, gone at the end of scope.
class ScratchDir {
 public:
  explicit ScratchDir(std::string path) : path_(std::move(path)) {}
  ~ScratchDir() {
    std::error_code ignored;  // what stays is swept at the next start
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  absl::Status MakeInput() const {
    std::error_code error;
    std::filesystem::create_directories(path_ + "/input", error);
    if (!error) return absl::OkStatus();
    return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                     absl::StrFormat("cannot make '%s': %s", path_, error.message()));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

grpc::ServerUnaryReactor* ModelServiceImpl::InspectModel(grpc::CallbackServerContext* context,
                                                         const v1::InspectModelRequest* request,
                                                         v1::InspectModelResponse* response) {
  return edge_.Unary(context, Rpc("InspectModel"), [=, this] { return Inspect(*request, response); });
}

absl::Status ModelServiceImpl::Inspect(const v1::InspectModelRequest& request, v1::InspectModelResponse* response) {
  LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
  LATHE_ASSIGN_OR_RETURN(const ArtifactKey key, ParseArtifactName(request.model(), "model"));
  LATHE_RETURN_IF_ERROR(artifacts_.index().GetArtifact(key.project, key.sha256).status());
  absl::Status status;
  if (running_.fetch_add(1) < options_.slots) {
    status = RunInspection(key.sha256, response);
  } else {
    status = MakeError(absl::StatusCode::kResourceExhausted, "BUSY",
                       absl::StrFormat("%d models are being inspected already; try again in a second", options_.slots));
  }
  running_.fetch_sub(1);
  return status;
}

absl::Status ModelServiceImpl::RunInspection(const std::string& sha256, v1::InspectModelResponse* response) {
  const ScratchDir dir(options_.jobs_dir + "/inspect-" + TimeOrderedId(edge_.clock().NowMicros()));
  LATHE_RETURN_IF_ERROR(dir.MakeInput());
  LATHE_RETURN_IF_ERROR(artifacts_.store().LinkTo(sha256, dir.path() + "/input/model.tflite"));
  ExecutorLaunch launch;
  launch.executor_path = options_.executor_path;
  launch.job_dir = dir.path();
  launch.spec.mutable_inspect()->set_model("input/model.tflite");
  launch.spec.set_threads(1);
  launch.spec.set_memory_bytes(launch.limits.memory_bytes);
  launch.limits.wall = options_.timeout;
  ExecutorExit exit;
  auto result = RunExecutor(
      launch, [](const auto&) {}, cancel_, &exit);
  edge_.metrics().ExecutorExited(exit.outcome);
  LATHE_RETURN_IF_ERROR(result.status());
  *response->mutable_summary() = std::move(*result->mutable_inspection());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ModelServiceImpl::CompareModels(grpc::CallbackServerContext* context,
                                                          const v1::CompareModelsRequest* /*request*/,
                                                          v1::CompareModelsResponse* /*response*/) {
  return edge_.Answer(context, Rpc("CompareModels"),
                      NotYet("CompareModels", "the report of an optimize job compares its input and output"));
}

grpc::ServerUnaryReactor* ModelServiceImpl::PlanRecipe(grpc::CallbackServerContext* context,
                                                       const v1::PlanRecipeRequest* /*request*/,
                                                       v1::PlanRecipeResponse* /*response*/) {
  return edge_.Answer(context, Rpc("PlanRecipe"),
                      NotYet("PlanRecipe", "SubmitJob with validate_only shows the resolved recipe"));
}

grpc::ServerUnaryReactor* ModelServiceImpl::RecommendRecipe(grpc::CallbackServerContext* context,
                                                            const v1::RecommendRecipeRequest* /*request*/,
                                                            v1::RecommendRecipeResponse* /*response*/) {
  return edge_.Answer(context, Rpc("RecommendRecipe"), NotYet("RecommendRecipe", "ListPasses describes the presets"));
}

}  // namespace lathe
