#include "optimizer/recommendation/recommend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kInputBytes = 400'000;

Model Network() {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 16});
  const TensorId first = builder.Conv2d(input, 64, 3, 1, {.activation = Activation::kRelu});
  const TensorId second = builder.Conv2d(first, 64, 3, 2);
  builder.Output(builder.FullyConnected(second, 10, 3));
  return builder.Build();
}

std::vector<std::string> Ranked(Target target, DataAtHand data) {
  const auto found = Recommend(Network(), {.target = target, .data = data, .input_bytes = kInputBytes});
  std::vector<std::string> presets;
  if (!found.ok()) return {std::string(found.status().message())};
  for (const Recommendation& each : found->ranked) presets.push_back(each.recipe.preset);
  return presets;
}

TEST(RecommendTest, WithoutDataACpuGetsDynamicRangeFirst) {
  EXPECT_THAT(Ranked(Target::kCpu, DataAtHand::kNone),
              ElementsAre("dynamic-range", "float16", "weight-only-int8", "weight-only-int4"));
}

TEST(RecommendTest, SamplesMakeInt8TheFirstChoice) {
  EXPECT_THAT(Ranked(Target::kCpu, DataAtHand::kUnlabelled),
              ElementsAre("int8", "dynamic-range", "float16", "int16x8", "weight-only-int8", "weight-only-int4"));
}

TEST(RecommendTest, AGpuGetsFloat16) {
  EXPECT_EQ(Ranked(Target::kGpu, DataAtHand::kNone)[0], "float16");
  EXPECT_EQ(Ranked(Target::kGpu, DataAtHand::kUnlabelled)[0], "float16");
}

TEST(RecommendTest, IntegerHardwareHasNoOtherChoiceEvenWithoutData) {
  EXPECT_THAT(Ranked(Target::kEdgeTpu, DataAtHand::kNone), ElementsAre("edge-tpu"));
  const auto found =
      Recommend(Network(), {.target = Target::kMicrocontroller, .data = DataAtHand::kNone, .input_bytes = kInputBytes});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->ranked[0].recipe.preset, "int8");
  EXPECT_EQ(found->ranked[0].recipe.quantize.io_type, "int8");
  EXPECT_THAT(found->ranked[0].reasons, Contains(HasSubstr("collect unlabelled samples")));
}

TEST(RecommendTest, SaysWhatTheNextStepCostsAndWhatWasLeftOut) {
  const auto found =
      Recommend(Network(), {.target = Target::kCpu, .data = DataAtHand::kNone, .input_bytes = kInputBytes});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->ranked[0].next_step, HasSubstr("needs unlabelled samples"));
  EXPECT_THAT(found->left_out, Contains(AllOf(HasSubstr("int8: needs unlabelled samples"), HasSubstr("MB"))));
}

TEST(RecommendTest, RefusesWhenNothingMakesTheModelSmaller) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8});
  const TensorId output = builder.Activation("out", {1, 8});
  builder.AddOp(OpKind::kCos, {input}, {output});
  builder.Output(output);
  const auto found =
      Recommend(builder.Build(), {.target = Target::kCpu, .data = DataAtHand::kLabelled, .input_bytes = 500});
  EXPECT_EQ(ReasonOf(found.status()), "NOTHING_TO_RECOMMEND");
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("dynamic-range"));
}

}  // namespace
}  // namespace lathe
