#include "wire/recipe.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

v1::Recipe Parse(const std::string& text) {
  auto recipe = ParseRecipe(text, "test");
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  return recipe.value_or(v1::Recipe());
}

TEST(RecipeTest, ConvertsEverythingThatThePlainRecipeHolds) {
  const Recipe recipe = RecipeFromProto(Parse(R"(
preset: int8
quantize:
  scheme: full_integer
  weights: {bits: 8, granularity: channel, block_size: 32, algorithm: min_max}
  activations: {bits: 16, ranges: PERCENTILE}
  io_type: uint8
  allow_float_fallback: false
  require_full_integer: true
preprocessing: {scale: 0.5, mean: -3}
)"));
  EXPECT_EQ(recipe.preset, "int8");
  EXPECT_EQ(recipe.quantize.scheme, Scheme::kFullInteger);
  EXPECT_EQ(recipe.quantize.weights.bits, 8);
  EXPECT_EQ(recipe.quantize.weights.granularity, "channel");
  EXPECT_EQ(recipe.quantize.weights.block_size, 32);
  EXPECT_EQ(recipe.quantize.weights.algorithm, "min-max");
  EXPECT_EQ(recipe.quantize.activations.bits, 16);
  EXPECT_EQ(recipe.quantize.activations.ranges, "percentile");
  EXPECT_EQ(recipe.quantize.io_type, "uint8");
  EXPECT_EQ(recipe.quantize.allow_float_fallback, false);
  EXPECT_EQ(recipe.quantize.require_full_integer, true);
  EXPECT_EQ(recipe.data_scale, 0.5);
  EXPECT_EQ(recipe.data_mean, -3);
  EXPECT_THAT(recipe.unsupported_fields, IsEmpty());
}

TEST(RecipeTest, SurvivesARoundTrip) {
  const v1::Recipe recipe = Parse(
      "{preset: x, quantize: {scheme: WEIGHT_ONLY, weights: {bits: 4, granularity: TENSOR, algorithm: MIN_ERROR},"
      " activations: {ranges: MIN_MAX}, io_type: INT8, allow_float_fallback: true}, preprocessing: {scale: 2}}");
  EXPECT_EQ(RecipeToProto(RecipeFromProto(recipe)).SerializeAsString(), recipe.SerializeAsString());
}

TEST(RecipeTest, ListsEveryFieldThatIsNotImplemented) {
  const Recipe recipe = RecipeFromProto(Parse(R"(
preset: int8
prune: {pattern: BLOCK, sparsity: 0.5}
cluster: {}
train: {epochs: 3}
correct: {equalization: BEST, rounding: OFF}
rules: [{skip: true}]
target: EDGE_TPU
effort: FAST
)"));
  EXPECT_THAT(recipe.unsupported_fields,
              UnorderedElementsAre("prune.pattern", "prune.sparsity", "cluster", "train.epochs", "correct.equalization",
                                   "rules", "target", "effort"));
}

TEST(RecipeTest, TakesSettingsThatAskForWhatHappensAnyway) {
  EXPECT_THAT(
      RecipeFromProto(Parse("{preset: int8, target: CPU, effort: BALANCED, correct: {bias: OFF}, quantize: {}}"))
          .unsupported_fields,
      IsEmpty());
}

TEST(RecipeTest, RefusesEnumValuesThatMeanNothing) {
  v1::Recipe recipe;
  recipe.mutable_quantize()->set_scheme(static_cast<v1::Quantize::Scheme>(99));
  recipe.mutable_quantize()->set_io_type(v1::Quantize::IO_TYPE_UNSPECIFIED);
  EXPECT_THAT(RecipeFromProto(recipe).unsupported_fields, UnorderedElementsAre("quantize.scheme", "quantize.io_type"));
}

TEST(RecipeTest, ListsFieldsOfNewerClients) {
  v1::Recipe recipe;
  recipe.mutable_quantize()->GetReflection()->MutableUnknownFields(recipe.mutable_quantize())->AddVarint(77, 1);
  EXPECT_THAT(RecipeFromProto(recipe).unsupported_fields, ElementsAre("quantize.(unknown field 77)"));
}

}  // namespace
}  // namespace lathe
