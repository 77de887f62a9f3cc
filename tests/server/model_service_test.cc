#include "server/model_service.h"

#include <gmock/gmock.h>

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

TEST_F(ModelServiceTest, CompareSaysAllThatIsWrongWithARequest) {
  v1::CompareModelsRequest request;
  request.set_samples_max(100'000);
  request.mutable_data()->mutable_preprocessing()->set_scale(0);
  v1::CompareModelsResponse response;
  grpc::ClientContext context;
  const RpcError error = Decode(models_->CompareModels(&context, request, &response));
  EXPECT_EQ(error.reason, "BAD_REQUEST");
  EXPECT_THAT(error.violated_fields,
              testing::UnorderedElementsAre("model", "against", "data.preprocessing.scale", "samples_max"));
}

TEST_F(ModelServiceTest, CompareSaysWhichArtifactIsMissing) {
  v1::CompareModelsRequest request;
  request.set_model(Upload("a model"));
  request.set_against("projects/default/artifacts/" + std::string(64, 'a'));
  v1::CompareModelsResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(Decode(models_->CompareModels(&context, request, &response)).reason, "ARTIFACT_NOT_FOUND");
  request.set_against(request.model());
  grpc::ClientContext again;
  EXPECT_EQ(Decode(models_->CompareModels(&again, request, &response)).reason, "EXECUTOR_MISSING");
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
