#include "server/model_service.h"

#include <utility>

#include "optimizer/recipe/validate.h"
#include "server/model_question.h"
#include "server/names.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

constexpr char kModelName[] = "model.tflite",
               kModelPath[] = "input/model.tflite";  // the latter below the job directory

constexpr RpcName Rpc(std::string_view method) { return {"ModelService", method}; }

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
  return InSlot([&]() -> absl::StatusOr<internal::v1::ExecutorResult> {
    LATHE_ASSIGN_OR_RETURN(const auto question, ModelQuestion::Create(options_.jobs_dir, edge_));
    LATHE_RETURN_IF_ERROR(question->AddInput(artifacts_, key.sha256, kModelName).status());
    return question->Ask(std::move(spec), options_.executor_path, options_.timeout, cancel_);
  });
}

absl::StatusOr<internal::v1::ExecutorResult> ModelServiceImpl::InSlot(
    const std::function<absl::StatusOr<internal::v1::ExecutorResult>()>& ask) {
  absl::StatusOr<internal::v1::ExecutorResult> answer =
      MakeError(absl::StatusCode::kResourceExhausted, "BUSY",
                absl::StrFormat("%d models are being looked at already; try again in a second", options_.slots));
  if (running_.fetch_add(1) < options_.slots) answer = ask();
  running_.fetch_sub(1);
  return answer;
}

grpc::ServerUnaryReactor* ModelServiceImpl::CompareModels(grpc::CallbackServerContext* context,
                                                          const v1::CompareModelsRequest* request,
                                                          v1::CompareModelsResponse* response) {
  return edge_.Unary(context, Rpc("CompareModels"), [=, this] { return Compare(*request, response); });
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
