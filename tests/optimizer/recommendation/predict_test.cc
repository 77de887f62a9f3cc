#include "optimizer/recommendation/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

// Two convolutions and a layer, large enough that weights make up the file.
Model Network() {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 16});
  const TensorId first = builder.Conv2d(input, 64, 3, 1, {.activation = Activation::kRelu});
  const TensorId second = builder.Conv2d(first, 64, 3, 2);
  builder.Output(builder.FullyConnected(second, 10, 3));
  return builder.Build();
}

Recipe Preset(const std::string& name) {
  Recipe recipe;
  recipe.preset = name;
  return recipe;
}

int CountPrecision(const Prediction& prediction, const std::string& precision) {
  int count = 0;
  for (const OperatorReport& op : prediction.operators) count += op.precision == precision;
  return count;
}

TEST(PredictRecipeTest, SizesFollowTheScheme) {
  const Model model = Network();
  const uint64_t weights = 4 * (64 * 9 * 16 + 64 * 9 * 64 + 10 * 4096);
  const uint64_t half = PredictRecipe(model, Preset("float16")).value().bytes;
  const uint64_t quarter = PredictRecipe(model, Preset("dynamic-range")).value().bytes;
  EXPECT_NEAR(static_cast<double>(half), weights / 2.0, weights * 0.03);
  EXPECT_NEAR(static_cast<double>(quarter), weights / 4.0, weights * 0.03);
}

TEST(PredictRecipeTest, TypesAreThoseOfThePasses) {
  const Model model = Network();
  EXPECT_EQ(CountPrecision(PredictRecipe(model, Preset("dynamic-range")).value(), "dynamic-range int8"), 3);
  EXPECT_GE(CountPrecision(PredictRecipe(model, Preset("int8")).value(), "int8"), 3);
  EXPECT_GE(CountPrecision(PredictRecipe(model, Preset("int16x8")).value(), "int16x8"), 3);
}

TEST(PredictRecipeTest, LeavesTheInputAlone) {
  const Model model = Network();
  ASSERT_TRUE(PredictRecipe(model, Preset("int8")).ok());
  EXPECT_EQ(model.subgraphs[0].tensors[0].type, TensorType::kFloat32);
  EXPECT_EQ(model.subgraphs[0].ops.size(), 3u);
}

TEST(PredictRecipeTest, RefusesWhatChangesNothing) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8});
  const TensorId output = builder.Activation("out", {1, 8});
  builder.AddOp(OpKind::kCos, {input}, {output});
  builder.Output(output);
  EXPECT_EQ(ReasonOf(PredictRecipe(builder.Build(), Preset("dynamic-range")).status()), "NOTHING_TO_DO");
}

TEST(PredictRecipeTest, NamesTheOperatorThatCannotBeInteger) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 64});
  const TensorId layer = builder.FullyConnected(input, 64, 1);
  const TensorId output = builder.Activation("out", {1, 64});
  builder.AddOp(OpKind::kCos, {layer}, {output});
  builder.Output(output);
  EXPECT_EQ(ReasonOf(PredictRecipe(builder.Build(), Preset("edge-tpu")).status()), "FLOAT_FALLBACK");
}

TEST(PredictRecipeTest, RefusesBadRecipes) {
  EXPECT_EQ(PredictRecipe(Network(), Preset("int9")).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lathe
