#ifndef LATHE_SERVER_MODEL_SERVICE_H_
#define LATHE_SERVER_MODEL_SERVICE_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "common/cancel.h"
#include "lathe/internal/v1/executor.pb.h"
#include "lathe/v1/model_service.grpc.pb.h"
#include "server/edge.h"
#include "storage/artifacts.h"

namespace lathe {

struct ModelServiceOptions {
  std::string executor_path;  // lathe-executor
  std::string jobs_dir;       // where job directories are made; on the disk of the artifacts
  int slots = 2;              // executors at once, whatever the local workers are
  std::chrono::milliseconds timeout{2000};
};

// lathe.v1.ModelService: each question is answered by an executor of its own, because the model's bytes are hostile.
// The .proto file is the contract.
class ModelServiceImpl final : public v1::ModelService::CallbackService {
 public:
  ModelServiceImpl(ModelServiceOptions options, Edge& edge, Artifacts& artifacts)
      : options_(std::move(options)), edge_(edge), artifacts_(artifacts) {}

  grpc::ServerUnaryReactor* InspectModel(grpc::CallbackServerContext* context, const v1::InspectModelRequest* request,
                                         v1::InspectModelResponse* response) override;
  grpc::ServerUnaryReactor* CompareModels(grpc::CallbackServerContext* context, const v1::CompareModelsRequest* request,
                                          v1::CompareModelsResponse* response) override;
  grpc::ServerUnaryReactor* PlanRecipe(grpc::CallbackServerContext* context, const v1::PlanRecipeRequest* request,
                                       v1::PlanRecipeResponse* response) override;
  grpc::ServerUnaryReactor* RecommendRecipe(grpc::CallbackServerContext* context,
                                            const v1::RecommendRecipeRequest* request,
                                            v1::RecommendRecipeResponse* response) override;

  // Ends the executors that run; their calls answer CANCELLED.
  void CancelAll() { cancel_.Cancel(); }

 private:
  absl::Status Inspect(const v1::InspectModelRequest& request, v1::InspectModelResponse* response);
  absl::Status Plan(const v1::PlanRecipeRequest& request, v1::PlanRecipeResponse* response);
  absl::Status Recommend(const v1::RecommendRecipeRequest& request, v1::RecommendRecipeResponse* response);
  // The executor's answer about the artifact `model`, which it finds at the path that specs here name. Errors as the
  // .proto file has them.
  absl::StatusOr<internal::v1::ExecutorResult> Ask(const std::string& model, internal::v1::ExecutorSpec spec);
  absl::Status Compare(const v1::CompareModelsRequest& request, v1::CompareModelsResponse* response);
  // RESOURCE_EXHAUSTED BUSY: no slot is free.
  absl::StatusOr<internal::v1::ExecutorResult> InSlot(
      const std::function<absl::StatusOr<internal::v1::ExecutorResult>()>& ask);

  const ModelServiceOptions options_;
  Edge& edge_;
  Artifacts& artifacts_;
  CancelToken cancel_;
  std::atomic<int> running_ = 0;
};

}  // namespace lathe

#endif  // LATHE_SERVER_MODEL_SERVICE_H_
