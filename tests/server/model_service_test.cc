#include "server/model_service.h"

#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using ModelServiceTest = ServerTest;

TEST_F(ModelServiceTest, InspectSaysWhatIsMissing) {
  v1::InspectModelRequest request;
  v1::InspectModelResponse response;
  {
    grpc::ClientContext context;
    request.set_model("projects/default/artifacts/" + std::string(64, 'a'));
    EXPECT_EQ(Decode(models_->InspectModel(&context, request, &response)).reason, "ARTIFACT_NOT_FOUND");
  }
  grpc::ClientContext context;
  request.set_model(Upload("a model"));
  EXPECT_EQ(Decode(models_->InspectModel(&context, request, &response)).reason, "EXECUTOR_MISSING");
}

TEST_F(ModelServiceTest, DeclaredMethodsAreUnimplementedWithAReason) {
  grpc::ClientContext compare_context, plan_context, recommend_context;
  v1::CompareModelsResponse compared;
  EXPECT_EQ(Decode(models_->CompareModels(&compare_context, {}, &compared)).reason, "METHOD_UNIMPLEMENTED");
  v1::PlanRecipeResponse planned;
  EXPECT_EQ(Decode(models_->PlanRecipe(&plan_context, {}, &planned)).reason, "METHOD_UNIMPLEMENTED");
  v1::RecommendRecipeResponse recommended;
  EXPECT_EQ(Decode(models_->RecommendRecipe(&recommend_context, {}, &recommended)).reason, "METHOD_UNIMPLEMENTED");
}

}  // namespace
}  // namespace lathe
