#include "server/model_service.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/random_id.h"
#include "executor/supervisor.h"
#include "optimizer/recipe/validate.h"
#include "server/names.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

constexpr char kModelPath[] = "input/model.tflite";  // below the job directory

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
  internal::v1::ExecutorSpec spec;
  spec.mutable_inspect()->set_model(kModelPath);
  spec.mutable_inspect()->set_target(request.target());
  LATHE_ASSIGN_OR_RETURN(auto result, Ask(request.model(), std::move(spec)));
  *response->mutable_summary() = std::move(*result.mutable_inspection());
  return absl::OkStatus();
}

absl::Status ModelServiceImpl::Plan(const v1::PlanRecipeRequest& request, v1::PlanRecipeResponse* response) {
  LATHE_RETURN_IF_ERROR(ResolveRecipe(RecipeFromProto(request.recipe()), "recipe").status());
  internal::v1::ExecutorSpec spec;
  spec.mutable_plan()->set_model(kModelPath);
  *spec.mutable_plan()->mutable_recipe() = request.recipe();
  LATHE_ASSIGN_OR_RETURN(auto result, Ask(request.model(), std::move(spec)));
  *response = std::move(*result.mutable_plan());
  return absl::OkStatus();
}

absl::Status ModelServiceImpl::Recommend(const v1::RecommendRecipeRequest& request,
                                         v1::RecommendRecipeResponse* response) {
  internal::v1::ExecutorSpec spec;
  spec.mutable_recommend()->set_model(kModelPath);
  spec.mutable_recommend()->set_target(request.target());
  spec.mutable_recommend()->set_data(request.data());
  LATHE_ASSIGN_OR_RETURN(auto result, Ask(request.model(), std::move(spec)));
  *response = std::move(*result.mutable_recommendation());
  return absl::OkStatus();
}

absl::StatusOr<internal::v1::ExecutorResult> ModelServiceImpl::Ask(const std::string& model,
                                                                   internal::v1::ExecutorSpec spec) {
  LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
  LATHE_ASSIGN_OR_RETURN(const ArtifactKey key, ParseArtifactName(model, "model"));
  LATHE_RETURN_IF_ERROR(artifacts_.index().GetArtifact(key.project, key.sha256).status());
  absl::StatusOr<internal::v1::ExecutorResult> answer =
      MakeError(absl::StatusCode::kResourceExhausted, "BUSY",
                absl::StrFormat("%d models are being inspected already; try again in a second", options_.slots));
  if (running_.fetch_add(1) < options_.slots) answer = Run(key.sha256, std::move(spec));
  running_.fetch_sub(1);
  return answer;
}

absl::StatusOr<internal::v1::ExecutorResult> ModelServiceImpl::Run(const std::string& sha256,
                                                                   internal::v1::ExecutorSpec spec) {
  const ScratchDir dir(options_.jobs_dir + "/inspect-" + TimeOrderedId(edge_.clock().NowMicros()));
  LATHE_RETURN_IF_ERROR(dir.MakeInput());
  LATHE_RETURN_IF_ERROR(artifacts_.store().LinkTo(sha256, dir.path() + "/" + kModelPath));
  ExecutorLaunch launch;
  launch.executor_path = options_.executor_path;
  launch.job_dir = dir.path();
  launch.spec = std::move(spec);
  launch.spec.set_threads(1);
  launch.spec.set_memory_bytes(launch.limits.memory_bytes);
  launch.limits.wall = options_.timeout;
  ExecutorExit exit;
  auto result = RunExecutor(
      launch, [](const auto&) {}, cancel_, &exit);
  edge_.metrics().ExecutorExited(exit.outcome);
  return result;
}

grpc::ServerUnaryReactor* ModelServiceImpl::CompareModels(grpc::CallbackServerContext* context,
                                                          const v1::CompareModelsRequest* /*request*/,
                                                          v1::CompareModelsResponse* /*response*/) {
  return edge_.Answer(context, Rpc("CompareModels"),
                      NotYet("CompareModels", "the report of an optimize job compares its input and output"));
}

grpc::ServerUnaryReactor* ModelServiceImpl::PlanRecipe(grpc::CallbackServerContext* context,
                                                       const v1::PlanRecipeRequest* request,
                                                       v1::PlanRecipeResponse* response) {
  return edge_.Unary(context, Rpc("PlanRecipe"), [=, this] { return Plan(*request, response); });
}

grpc::ServerUnaryReactor* ModelServiceImpl::RecommendRecipe(grpc::CallbackServerContext* context,
                                                            const v1::RecommendRecipeRequest* request,
                                                            v1::RecommendRecipeResponse* response) {
  return edge_.Unary(context, Rpc("RecommendRecipe"), [=, this] { return Recommend(*request, response); });
}

}  // namespace lathe
