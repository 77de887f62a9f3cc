#include "optimizer/recipe/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace lathe {
namespace {

using ::testing::HasSubstr;

Recipe WithPreset(const std::string& preset) {
  Recipe recipe;
  recipe.preset = preset;
  return recipe;
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : ViolationsOf(status)) fields.push_back(violation.field);
  return fields;
}

TEST(ResolveRecipeTest, FillsInWhatThePresetMeans) {
  const absl::StatusOr<Recipe> resolved = ResolveRecipe(WithPreset("int8"), "recipe");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->quantize.scheme, Scheme::kFullInteger);
  EXPECT_EQ(resolved->quantize.weights.bits, 8);
  EXPECT_EQ(resolved->quantize.activations.bits, 8);
  EXPECT_EQ(resolved->quantize.allow_float_fallback, true);
  EXPECT_EQ(resolved->quantize.require_full_integer, false);
}

TEST(ResolveRecipeTest, IsStable) {
  for (const PresetInfo& preset : Presets()) {
    if (!preset.supported) continue;
    const Recipe once = ResolveRecipe(WithPreset(preset.name), "recipe").value();
    EXPECT_TRUE(ResolveRecipe(once, "recipe").ok()) << preset.name;
  }
}

TEST(ResolveRecipeTest, UnknownPresetListsTheKnown) {
  const absl::Status status = ResolveRecipe(WithPreset("int9"), "spec.optimize.recipe").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Fields(status), ::testing::ElementsAre("spec.optimize.recipe.preset"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'int9'"));
  for (const char* known : {"float16", "dynamic-range", "weight-only-int8", "int8"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(known));
  }
}

TEST(ResolveRecipeTest, DeclaredPresetThatIsNotBuiltSaysSo) {
  const absl::Status status = ResolveRecipe(WithPreset("qat-int8"), "recipe").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not implement 'qat-int8'"));
}

TEST(ResolveRecipeTest, EmptyRecipeAsksForNothing) {
  EXPECT_THAT(std::string(ResolveRecipe(Recipe(), "recipe").status().message()), HasSubstr("asks for nothing"));
}

TEST(ResolveRecipeTest, ReportsAllViolationsAtOnce) {
  Recipe recipe = WithPreset("int8");
  recipe.quantize.weights.bits = 3;
  recipe.quantize.io_type = "int16";
  recipe.quantize.activations.ranges = "widest";
  recipe.rules.emplace_back();
  recipe.min_sqnr_db = -1;
  recipe.preprocessing.scale = 0;
  recipe.preprocessing.mean = std::numeric_limits<double>::infinity();
  recipe.unsupported_fields = {"prune.sparsity"};
  EXPECT_THAT(Fields(ResolveRecipe(recipe, "r").status()),
              ::testing::UnorderedElementsAre("r.prune.sparsity", "r.quantize.weights.bits", "r.quantize.io_type",
                                              "r.quantize.activations.ranges", "r.rules[0].selector", "r.rules[0]",
                                              "r.min_sqnr_db", "r.preprocessing.scale", "r.preprocessing.mean"));
}

TEST(ResolveRecipeTest, PresetsSetTheirBits) {
  EXPECT_EQ(ResolveRecipe(WithPreset("float16"), "r")->quantize.weights.bits, 16);
  EXPECT_EQ(ResolveRecipe(WithPreset("weight-only-int4"), "r")->quantize.weights.bits, 4);
  EXPECT_EQ(ResolveRecipe(WithPreset("weight-only-int4"), "r")->quantize.scheme, Scheme::kWeightOnly);
  EXPECT_EQ(ResolveRecipe(WithPreset("int16x8"), "r")->quantize.activations.bits, 16);
  EXPECT_EQ(ResolveRecipe(WithPreset("int16x8"), "r")->quantize.weights.bits, 8);
}

TEST(ResolveRecipeTest, FieldsOverrideThePreset) {
  Recipe recipe = WithPreset("int16x8");
  recipe.quantize.scheme = Scheme::kDynamicRange;
  recipe.quantize.weights.bits = 4;
  const auto resolved = ResolveRecipe(recipe, "r");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->quantize.scheme, Scheme::kDynamicRange);
  EXPECT_EQ(resolved->quantize.weights.bits, 4);
  EXPECT_FALSE(resolved->quantize.activations.bits.has_value());
}

TEST(ResolveRecipeTest, DefaultsFollowTheBits) {
  const QuantizeSettings int8 = ResolveRecipe(WithPreset("int8"), "r")->quantize;
  EXPECT_EQ(int8.weights.granularity, "channel");
  EXPECT_EQ(int8.weights.algorithm, "min-max");
  EXPECT_EQ(int8.activations.ranges, "best");
  EXPECT_EQ(int8.io_type, "float32");
  EXPECT_EQ(ResolveRecipe(WithPreset("weight-only-int4"), "r")->quantize.weights.algorithm, "min-error");
  EXPECT_EQ(ResolveRecipe(WithPreset("int16x8"), "r")->quantize.activations.ranges, "min-max");
}

TEST(ResolveRecipeTest, EffortDecidesWhatIsTried) {
  Recipe recipe = WithPreset("int8");
  const CorrectSettings balanced = ResolveRecipe(recipe, "r")->correct;
  EXPECT_EQ(ResolveRecipe(recipe, "r")->effort, Effort::kBalanced);
  EXPECT_EQ(balanced.equalization, Correction::kFast);
  EXPECT_EQ(balanced.bias, Correction::kFast);
  EXPECT_EQ(balanced.rounding, Correction::kFast);
  recipe.effort = Effort::kFast;
  EXPECT_EQ(ResolveRecipe(recipe, "r")->correct.rounding, Correction::kOff);
  EXPECT_EQ(ResolveRecipe(recipe, "r")->quantize.activations.ranges, "min-max");
  EXPECT_EQ(ResolveRecipe(recipe, "r")->correct.residual_constants, Correction::kFast);
  recipe.effort = Effort::kBest;
  recipe.correct.bias = Correction::kOff;
  EXPECT_EQ(ResolveRecipe(recipe, "r")->correct.rounding, Correction::kBest);
  EXPECT_EQ(ResolveRecipe(recipe, "r")->correct.bias, Correction::kOff);
}

TEST(ResolveRecipeTest, IntegerInputsAndOutputsLeaveNothingInFloat) {
  for (const char* type : {"int8", "uint8"}) {
    Recipe recipe = WithPreset("int8");
    recipe.quantize.io_type = type;
    EXPECT_EQ(ResolveRecipe(recipe, "r")->quantize.require_full_integer, true) << type;
  }
  EXPECT_EQ(ResolveRecipe(WithPreset("int8"), "r")->quantize.require_full_integer, false);
}

// What one recipe says, and what the violation names: {settings of a preset, field, words of the reason}.
struct Refused {
  const char* name;
  const char* preset;
  void (*set)(Recipe&);
  const char* field;
  const char* reason;
};

class RefusedRecipeTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedRecipeTest, NamesFieldAndReason) {
  Recipe recipe = WithPreset(GetParam().preset);
  GetParam().set(recipe);
  const absl::Status status = ResolveRecipe(recipe, "r").status();
  EXPECT_THAT(Fields(status), ::testing::ElementsAre(std::string("r.") + GetParam().field)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().reason));
}

Rule& AddRule(Recipe& recipe) {
  Rule& rule = recipe.rules.emplace_back();
  rule.selector.kinds = {"CONV_2D"};
  return rule;
}

const Refused kRefused[] = {
    {"TwoBitsBetweenIntegers", "int8", [](Recipe& r) { r.quantize.weights.bits = 2; }, "quantize.weights.bits",
     "2-bit weights"},
    {"BitsNobodyHas", "dynamic-range", [](Recipe& r) { r.quantize.weights.bits = 16; }, "quantize.weights.bits",
     "expected 8, 4 or 2"},
    {"BitsOfFloat16", "float16", [](Recipe& r) { r.quantize.weights.bits = 8; }, "quantize.weights.bits", "has 16"},
    {"GranularityOfFloat16", "float16", [](Recipe& r) { r.quantize.weights.granularity = "tensor"; },
     "quantize.weights", "integer weights"},
    {"BlocksBetweenIntegers", "int8",
     [](Recipe& r) { r.quantize.weights = {.bits = 4, .granularity = "block", .block_size = 32, .algorithm = {}}; },
     "quantize.weights.granularity", "float activations"},
    {"BlocksOfBytes", "dynamic-range", [](Recipe& r) { r.quantize.weights.granularity = "block"; },
     "quantize.weights.bits", "4-bit"},
    {"OddBlocks", "weight-only-int4", [](Recipe& r) { r.quantize.weights.block_size = 48; },
     "quantize.weights.block_size", "32, 64, 128 or 256"},
    {"BlockSizeOfChannels", "weight-only-int4",
     [](Recipe& r) {
       r.quantize.weights.granularity = "channel";
       r.quantize.weights.block_size = 32;
     },
     "quantize.weights.block_size", "BLOCK"},
    {"UnknownAlgorithm", "int8", [](Recipe& r) { r.quantize.weights.algorithm = "guess"; },
     "quantize.weights.algorithm", "MIN_ERROR"},
    {"ActivationBits", "int8", [](Recipe& r) { r.quantize.activations.bits = 4; }, "quantize.activations.bits",
     "8 or 16"},
    {"ActivationsOfFloat", "dynamic-range", [](Recipe& r) { r.quantize.activations.ranges = "min-max"; },
     "quantize.activations.ranges", "FULL_INTEGER"},
    {"CutSixteenBits", "int16x8", [](Recipe& r) { r.quantize.activations.ranges = "percentile"; },
     "quantize.activations.ranges", "MIN_MAX"},
    {"IoTypeOfFloat", "dynamic-range", [](Recipe& r) { r.quantize.io_type = "int8"; }, "quantize.io_type",
     "FULL_INTEGER"},
    {"IoTypeOfOtherBits", "int16x8", [](Recipe& r) { r.quantize.io_type = "int8"; }, "quantize.io_type", "INT16"},
    {"IoTypeWithFloatInside", "int8",
     [](Recipe& r) {
       r.quantize.io_type = "uint8";
       r.quantize.require_full_integer = false;
     },
     "quantize.require_full_integer", "contradicts"},
    {"FieldsWithoutScheme", "", [](Recipe& r) { r.quantize.weights.bits = 4; }, "quantize.scheme", "preset"},
    {"CorrectionOfFloat16", "float16", [](Recipe& r) { r.correct.rounding = Correction::kBest; }, "correct.rounding",
     "integer schemes"},
    {"SqnrOfDynamicRange", "dynamic-range", [](Recipe& r) { r.min_sqnr_db = 30; }, "min_sqnr_db", "FULL_INTEGER"},
    {"SqnrNobodyReaches", "int8", [](Recipe& r) { r.min_sqnr_db = 201; }, "min_sqnr_db", "at most 200"},
    {"SqnrNotANumber", "int8", [](Recipe& r) { r.min_sqnr_db = std::numeric_limits<double>::quiet_NaN(); },
     "min_sqnr_db", "more than 0"},
    {"RuleForEverything", "int8", [](Recipe& r) { r.rules.emplace_back().skip = true; }, "rules[0].selector",
     "takes every operator"},
    {"RuleForUnknownKinds", "int8",
     [](Recipe& r) {
       Rule& rule = AddRule(r);
       rule.selector.kinds = {"CONV_2D", "CONV2D"};
       rule.skip = true;
     },
     "rules[0].selector.kinds[1]", "'CONV2D'"},
    {"RuleWithBadRegex", "int8",
     [](Recipe& r) {
       AddRule(r).skip = true;
       r.rules[0].selector.name_regex = "(";
     },
     "rules[0].selector.name_regex", "RE2"},
    {"RuleWithLongRegex", "int8",
     [](Recipe& r) {
       AddRule(r).skip = true;
       r.rules[0].selector.name_regex = std::string(1001, 'a');
     },
     "rules[0].selector.name_regex", "at most 1000"},
    {"TooManyRules", "int8", [](Recipe& r) { r.rules.resize(1001); }, "rules", "at most 1000"},
    {"RuleWithoutAction", "int8", [](Recipe& r) { AddRule(r); }, "rules[0]", "no action"},
    {"RuleWithoutScheme", "", [](Recipe& r) { AddRule(r).quantize.weights.bits = 4; }, "rules[0].quantize.scheme",
     "the recipe has none"},
    {"RuleWithBadBits", "int8",
     [](Recipe& r) {
       AddRule(r).skip = true;
       AddRule(r).quantize.weights.bits = 5;
     },
     "rules[1].quantize.weights.bits", "expected 8, 4 or 2"},
    {"RuleWithIoType", "int8", [](Recipe& r) { AddRule(r).quantize.io_type = "int8"; }, "rules[0].quantize.io_type",
     "whole model"},
    {"RuleThatRequires", "int8", [](Recipe& r) { AddRule(r).quantize.require_full_integer = true; },
     "rules[0].quantize.require_full_integer", "whole model"},
};

INSTANTIATE_TEST_SUITE_P(ResolveRecipe, RefusedRecipeTest, testing::ValuesIn(kRefused),
                         [](const auto& refused) { return std::string(refused.param.name); });

TEST(ResolveRecipeTest, BlockSizeAloneMeansBlocks) {
  Recipe recipe = WithPreset("dynamic-range");
  recipe.quantize.weights.bits = 4;
  recipe.quantize.weights.block_size = 64;
  EXPECT_EQ(ResolveRecipe(recipe, "r")->quantize.weights.granularity, "block");
  recipe.quantize.weights.block_size.reset();
  recipe.quantize.weights.granularity = "block";
  EXPECT_EQ(ResolveRecipe(recipe, "r")->quantize.weights.block_size, 32);
}

TEST(ResolveRecipeTest, RulesTakeWhatTheyDoNotSayFromTheRecipe) {
  Recipe recipe = WithPreset("int8");
  recipe.quantize.activations.ranges = "percentile";
  recipe.quantize.allow_float_fallback = false;
  AddRule(recipe).quantize.weights.bits = 4;
  AddRule(recipe).quantize.activations.bits = 16;
  AddRule(recipe).quantize.scheme = Scheme::kWeightOnly;
  const auto resolved = ResolveRecipe(recipe, "r");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  const QuantizeSettings &narrow = resolved->rules[0].quantize, &wide = resolved->rules[1].quantize,
                         &other = resolved->rules[2].quantize;
  EXPECT_EQ(narrow.scheme, Scheme::kFullInteger);
  EXPECT_EQ(narrow.weights.bits, 4);
  EXPECT_EQ(narrow.weights.algorithm, "min-error");
  EXPECT_EQ(narrow.activations.ranges, "percentile");
  EXPECT_EQ(narrow.allow_float_fallback, false);
  EXPECT_EQ(wide.weights.bits, 8);
  EXPECT_EQ(wide.activations.ranges, "min-max");
  EXPECT_EQ(other.weights.bits, 8);
  EXPECT_FALSE(other.activations.bits.has_value());
  EXPECT_TRUE(ResolveRecipe(*resolved, "r").ok()) << ResolveRecipe(*resolved, "r").status();
}

TEST(ResolveRecipeTest, OnlyChosenOperatorsMayBeQuantized) {
  Recipe recipe;
  AddRule(recipe).quantize.scheme = Scheme::kFullInteger;
  recipe.min_sqnr_db = 30;
  const auto resolved = ResolveRecipe(recipe, "r");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_FALSE(resolved->quantize.scheme.has_value());
  EXPECT_EQ(resolved->rules[0].quantize.weights.bits, 8);
  recipe.rules[0].skip = true;
  recipe.min_sqnr_db.reset();
  EXPECT_THAT(std::string(ResolveRecipe(recipe, "r").status().message()), HasSubstr("asks for nothing"));
}

TEST(ResolveRecipeTest, ActivationSettingsNeedFullInteger) {
  Recipe recipe = WithPreset("float16");
  recipe.quantize.require_full_integer = true;
  EXPECT_FALSE(ResolveRecipe(recipe, "recipe").ok());
}

TEST(ResolveRecipeTest, SchemeWithoutPresetIsEnough) {
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kDynamicRange;
  EXPECT_TRUE(ResolveRecipe(recipe, "recipe").ok());
}

}  // namespace
}  // namespace lathe
