// Compatibility, recommendation and plans as the executor answers them.

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "tests/executor/job_fixture.h"
#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

Model Network(OpKind last = OpKind::kRelu) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 8});
  const TensorId conv = builder.Conv2d(input, 32, 3, 1);
  const TensorId output = builder.Activation("out", {1, 8, 8, 32});
  builder.AddOp(last, {conv}, {output});
  builder.Output(output);
  return builder.Build();
}

using TargetsTest = JobTest;

TEST_F(TargetsTest, InspectSumsUpEveryTarget) {
  PutModel(Network());
  spec_.mutable_inspect()->set_model("input/model");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const auto& targets = result->inspection().targets();
  ASSERT_EQ(targets.size(), 4);
  EXPECT_EQ(targets[0].target(), "cpu");
  EXPECT_EQ(targets[0].accepted_operators(), 2u);
  EXPECT_EQ(targets[0].macs(), 8u * 8 * 32 * 9 * 8);
  EXPECT_TRUE(targets[0].operator_table().empty());
  EXPECT_EQ(targets[2].target(), "edge-tpu");
  EXPECT_FALSE(targets[2].compatible());
}

TEST_F(TargetsTest, InspectListsTheOperatorsOfOneTarget) {
  PutModel(Network());
  spec_.mutable_inspect()->set_model("input/model");
  spec_.mutable_inspect()->set_target(v1::Recipe::EDGE_TPU);
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->inspection().targets_size(), 1);
  const auto& target = result->inspection().targets(0);
  ASSERT_EQ(target.operator_table_size(), 2);
  EXPECT_EQ(target.operator_table(0).kind(), "CONV_2D");
  EXPECT_THAT(target.operator_table(0).reason(), HasSubstr("float32"));
  EXPECT_GT(target.sources_size(), 0);
}

TEST_F(TargetsTest, EdgeTpuJobsGiveIntegersThroughoutAndSayWhatIsMapped) {
  PutModel(Network());
  SetPreset("edge-tpu");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const v1::Report& report = result->report();
  ASSERT_EQ(report.compatibility_size(), 4);
  const v1::Compatibility& tpu = report.compatibility(2);
  EXPECT_EQ(tpu.target(), "edge-tpu");
  EXPECT_TRUE(tpu.compatible());
  EXPECT_DOUBLE_EQ(tpu.mac_share(), 1);
  for (const auto& op : report.operators()) EXPECT_EQ(op.precision(), "int8") << op.kind();
}

TEST_F(TargetsTest, TargetsRefuseWhatTheyCannotRun) {
  PutModel(Network(OpKind::kGelu));  // TensorFlow Lite Micro has no kernel of it
  SetPreset("int8");
  spec_.mutable_optimize()->mutable_recipe()->set_target(v1::Recipe::MICROCONTROLLER);
  const absl::Status status = Run().status();
  EXPECT_EQ(ReasonOf(status), "TARGET_REFUSES") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("GELU"));
}

TEST_F(TargetsTest, AGpuLeavesTheRestToItsCpuWithAWarning) {
  PutModel(Network(OpKind::kCeil));
  SetPreset("float16");
  spec_.mutable_optimize()->mutable_recipe()->set_target(v1::Recipe::GPU);
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->report().warnings(), ::testing::Contains(HasSubstr("target gpu takes")));
}

TEST_F(TargetsTest, RecommendationsPredictTheFileOfTheJob) {
  PutModel(Network());
  spec_.mutable_recommend()->set_model("input/model");
  spec_.mutable_recommend()->set_data(v1::RecommendRecipeRequest::UNLABELLED);
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  for (const auto& each : result->recommendation().recommendations()) {
    SetPreset(each.recipe().preset());
    const auto job = Run();
    ASSERT_TRUE(job.ok()) << job.status();
    const auto real = static_cast<double>(job->report().output().bytes());
    EXPECT_NEAR(static_cast<double>(each.predicted_bytes()), real, 0.02 * real) << each.recipe().preset();
    std::map<std::pair<std::string, std::string>, uint64_t> predicted, got;
    for (const auto& row : each.operators()) predicted[{row.kind(), row.precision()}] = row.count();
    for (const auto& op : job->report().operators()) ++got[{op.kind(), op.precision()}];
    EXPECT_EQ(predicted, got) << each.recipe().preset();
  }
}

TEST_F(TargetsTest, PlansShowTheRecipeResolved) {
  PutModel(Network());
  spec_.mutable_plan()->set_model("input/model");
  spec_.mutable_plan()->mutable_recipe()->set_preset("dynamic-range");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const v1::PlanRecipeResponse& plan = result->plan();
  EXPECT_EQ(plan.resolved_recipe().quantize().weights().bits(), 8u);
  ASSERT_GT(plan.plan_size(), 2);
  const auto quantizes = [](const v1::PlanStep& step) {
    return step.pass() == "quantize-dynamic-range" && step.changed() == 1;
  };
  EXPECT_EQ(std::count_if(plan.plan().begin(), plan.plan().end(), quantizes), 1);
}

TEST_F(TargetsTest, PlansOfBadRecipesNameTheField) {
  PutModel(Network());
  spec_.mutable_plan()->set_model("input/model");
  spec_.mutable_plan()->mutable_recipe()->set_preset("int9");
  EXPECT_THAT(std::string(Run().status().message()), HasSubstr("int9"));
}

}  // namespace
}  // namespace lathe
