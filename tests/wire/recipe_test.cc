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
correct: {equalization: OFF, bias: FAST, rounding: BEST, residual_constants: OFF}
effort: best
rules:
  - {selector: {kinds: [CONV_2D, ADD], name_regex: ^a, subgraph: 1, index: 7, bytes_min: 4096}, skip: true}
  - {selector: {index: 0}, quantize: {scheme: WEIGHT_ONLY, weights: {bits: 2}}}
min_sqnr_db: 30.5
allow_larger: true
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
  EXPECT_EQ(recipe.correct.equalization, Correction::kOff);
  EXPECT_EQ(recipe.correct.bias, Correction::kFast);
  EXPECT_EQ(recipe.correct.rounding, Correction::kBest);
  EXPECT_EQ(recipe.correct.residual_constants, Correction::kOff);
  EXPECT_EQ(recipe.effort, Effort::kBest);
  ASSERT_EQ(recipe.rules.size(), 2u);
  EXPECT_THAT(recipe.rules[0].selector.kinds, ElementsAre("CONV_2D", "ADD"));
  EXPECT_EQ(recipe.rules[0].selector.name_regex, "^a");
  EXPECT_EQ(recipe.rules[0].selector.subgraph, 1);
  EXPECT_EQ(recipe.rules[0].selector.index, 7);
  EXPECT_EQ(recipe.rules[0].selector.bytes_min, 4096u);
  EXPECT_TRUE(recipe.rules[0].skip);
  EXPECT_EQ(recipe.rules[1].selector.index, 0);
  EXPECT_FALSE(recipe.rules[1].skip);
  EXPECT_EQ(recipe.rules[1].quantize.scheme, Scheme::kWeightOnly);
  EXPECT_EQ(recipe.rules[1].quantize.weights.bits, 2);
  EXPECT_EQ(recipe.min_sqnr_db, 30.5);
  EXPECT_EQ(recipe.allow_larger, true);
  EXPECT_EQ(recipe.preprocessing.scale, 0.5);
  EXPECT_EQ(recipe.preprocessing.mean, -3);
  EXPECT_THAT(recipe.unsupported_fields, IsEmpty());
}

TEST(RecipeTest, SurvivesARoundTrip) {
  for (const char* text : {
           "{preset: x, quantize: {scheme: WEIGHT_ONLY, weights: {bits: 4, granularity: TENSOR, algorithm: MIN_ERROR},"
           " activations: {ranges: MIN_MAX}, io_type: INT8, allow_float_fallback: true}, preprocessing: {scale: 2}}",
           "{quantize: {weights: {granularity: BLOCK, block_size: 64}, activations: {bits: 16, ranges: BEST}},"
           " effort: FAST, min_sqnr_db: 20, allow_larger: false}",
           "{correct: {equalization: FAST, bias: BEST, rounding: OFF, residual_constants: FAST}, effort: BALANCED}",
           "{quantize: {activations: {ranges: ENTROPY}, require_full_integer: true}, effort: BEST,"
           " rules: [{selector: {kinds: [ADD, MUL], name_regex: x, subgraph: 0, index: 3, bytes_min: 9}, skip: true},"
           " {selector: {subgraph: 2}, quantize: {scheme: FULL_INTEGER, activations: {ranges: MOVING_AVERAGE}}}]}",
       }) {
    const v1::Recipe recipe = Parse(text);
    EXPECT_EQ(RecipeToProto(RecipeFromProto(recipe)).DebugString(), recipe.DebugString());
  }
}

TEST(RecipeTest, ListsEveryFieldThatIsNotImplemented) {
  const Recipe recipe = RecipeFromProto(Parse(R"(
preset: int8
prune: {pattern: BLOCK, sparsity: 0.5}
cluster: {}
train: {epochs: 3}
)"));
  EXPECT_THAT(recipe.unsupported_fields,
              UnorderedElementsAre("prune.pattern", "prune.sparsity", "cluster", "train.epochs"));
}

TEST(RecipeTest, TakesSettingsThatAskForWhatHappensAnyway) {
  EXPECT_THAT(RecipeFromProto(Parse("{preset: int8, target: CPU, correct: {}, quantize: {}}")).unsupported_fields,
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
  v1::Selector& selector = *recipe.add_rules()->mutable_selector();
  selector.GetReflection()->MutableUnknownFields(&selector)->AddVarint(78, 1);
  recipe.mutable_rules(0)->mutable_quantize()->set_io_type(static_cast<v1::Quantize::IoType>(9));
  EXPECT_THAT(
      RecipeFromProto(recipe).unsupported_fields,
      ElementsAre("quantize.(unknown field 77)", "rules[0].selector.(unknown field 78)", "rules[0].quantize.io_type"));
}

}  // namespace
}  // namespace lathe
