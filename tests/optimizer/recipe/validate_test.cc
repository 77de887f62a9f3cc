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
  const absl::Status status = ResolveRecipe(WithPreset("int16x8"), "recipe").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not implement 'int16x8'"));
}

TEST(ResolveRecipeTest, EmptyRecipeAsksForNothing) {
  EXPECT_THAT(std::string(ResolveRecipe(Recipe(), "recipe").status().message()), HasSubstr("asks for nothing"));
}

TEST(ResolveRecipeTest, ReportsAllViolationsAtOnce) {
  Recipe recipe = WithPreset("int8");
  recipe.quantize.weights.bits = 4;
  recipe.quantize.io_type = "uint8";
  recipe.quantize.activations.ranges = "percentile";
  recipe.data_scale = 0;
  recipe.data_mean = std::numeric_limits<double>::infinity();
  recipe.unsupported_fields = {"prune.sparsity"};
  EXPECT_THAT(Fields(ResolveRecipe(recipe, "r").status()),
              ::testing::UnorderedElementsAre("r.prune.sparsity", "r.quantize.weights.bits", "r.quantize.io_type",
                                              "r.quantize.activations.ranges", "r.preprocessing.scale",
                                              "r.preprocessing.mean"));
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
