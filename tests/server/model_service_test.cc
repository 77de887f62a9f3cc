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
  grpc::ClientContext compare_context;
  v1::CompareModelsResponse compared;
  EXPECT_EQ(Decode(models_->CompareModels(&compare_context, {}, &compared)).reason, "METHOD_UNIMPLEMENTED");
}

TEST_F(ModelServiceTest, PlanRefusesABadRecipeBeforeItLooksForTheModel) {
  grpc::ClientContext context;
  v1::PlanRecipeRequest request;
  request.mutable_recipe()->set_preset("int9");
  v1::PlanRecipeResponse response;
  EXPECT_EQ(Decode(models_->PlanRecipe(&context, request, &response)).reason, "BAD_REQUEST");
}

TEST_F(ModelServiceTest, PlanAndRecommendAskAnExecutor) {
  grpc::ClientContext plan_context, recommend_context, missing_context;
  v1::PlanRecipeRequest plan;
  plan.set_model(Upload("a model"));
  plan.mutable_recipe()->set_preset("float16");
  v1::PlanRecipeResponse planned;
  EXPECT_EQ(Decode(models_->PlanRecipe(&plan_context, plan, &planned)).reason, "EXECUTOR_MISSING");
  v1::RecommendRecipeRequest recommend;
  recommend.set_model(plan.model());
  v1::RecommendRecipeResponse recommended;
  EXPECT_EQ(Decode(models_->RecommendRecipe(&recommend_context, recommend, &recommended)).reason, "EXECUTOR_MISSING");
  recommend.set_model("projects/default/artifacts/" + std::string(64, 'a'));
  EXPECT_EQ(Decode(models_->RecommendRecipe(&missing_context, recommend, &recommended)).reason, "ARTIFACT_NOT_FOUND");
}

}  // namespace
}  // namespace lathe
