#include "server/model_service.h"

#include <utility>

#include "server/model_question.h"
#include "server/names.h"

namespace lathe {
namespace {

constexpr RpcName Rpc(std::string_view method) { return {"ModelService", method}; }

absl::Status NotYet(std::string_view method, std::string_view instead) {
  return MakeError(absl::StatusCode::kUnimplemented, "METHOD_UNIMPLEMENTED",
                   absl::StrFormat("%s is not implemented in this version; %s", method, instead));
}

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
  return InSlot([&] { return RunInspection(key.sha256, response); });
}

absl::Status ModelServiceImpl::InSlot(const std::function<absl::Status()>& ask) {
  absl::Status status;
  if (running_.fetch_add(1) < options_.slots) {
    status = ask();
  } else {
    status = MakeError(absl::StatusCode::kResourceExhausted, "BUSY",
                       absl::StrFormat("%d models are being looked at already; try again in a second", options_.slots));
  }
  running_.fetch_sub(1);
  return status;
}

absl::Status ModelServiceImpl::RunInspection(const std::string& sha256, v1::InspectModelResponse* response) {
  LATHE_ASSIGN_OR_RETURN(const auto question, ModelQuestion::Create(options_.jobs_dir, edge_));
  internal::v1::ExecutorSpec spec;
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_inspect()->mutable_model(),
                         question->AddInput(artifacts_, sha256, "model.tflite"));
  LATHE_ASSIGN_OR_RETURN(auto result,
                         question->Ask(std::move(spec), options_.executor_path, options_.timeout, cancel_));
  *response->mutable_summary() = std::move(*result.mutable_inspection());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ModelServiceImpl::CompareModels(grpc::CallbackServerContext* context,
                                                          const v1::CompareModelsRequest* request,
                                                          v1::CompareModelsResponse* response) {
  return edge_.Unary(context, Rpc("CompareModels"), [=, this] { return Compare(*request, response); });
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
