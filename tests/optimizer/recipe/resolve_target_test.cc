#include "optimizer/recipe/resolve_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/recipe/validate.h"

namespace lathe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

Recipe For(Target target, const std::string& preset) {
  Recipe recipe;
  recipe.target = target;
  recipe.preset = preset;
  return recipe;
}

std::vector<std::string> Fields(const Recipe& recipe) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : ViolationsOf(ResolveRecipe(recipe, "recipe").status())) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(TargetTest, NamesGoBothWays) {
  for (Target target : kTargets) EXPECT_EQ(FindTarget(TargetName(target)), target);
  EXPECT_EQ(FindTarget("npu"), std::nullopt);
}

TEST(ResolveTargetTest, EdgeTpuPresetIsFullIntegerWithoutException) {
  Recipe recipe;
  recipe.preset = "edge-tpu";
  const Recipe resolved = ResolveRecipe(recipe, "recipe").value();
  EXPECT_EQ(resolved.target, Target::kEdgeTpu);
  EXPECT_EQ(resolved.quantize.scheme, Scheme::kFullInteger);
  EXPECT_EQ(resolved.quantize.io_type, "int8");
  EXPECT_EQ(resolved.quantize.require_full_integer, true);
}

TEST(ResolveTargetTest, EdgeTpuPresetTakesUint8Surfaces) {
  Recipe recipe;
  recipe.preset = "edge-tpu";
  recipe.quantize.io_type = "uint8";
  EXPECT_EQ(ResolveRecipe(recipe, "recipe").value().quantize.io_type, "uint8");
}

TEST(ResolveTargetTest, MicrocontrollersGetIntegersWithoutException) {
  for (const char* preset : {"int8", "int16x8"}) {
    EXPECT_EQ(ResolveRecipe(For(Target::kMicrocontroller, preset), "recipe").value().quantize.require_full_integer,
              true);
  }
}

TEST(ResolveTargetTest, OtherTargetsAskForNothing) {
  for (Target target : {Target::kCpu, Target::kGpu}) {
    EXPECT_EQ(ResolveRecipe(For(target, "int8"), "recipe").value().quantize.require_full_integer, false);
    EXPECT_TRUE(ResolveRecipe(For(target, "float16"), "recipe").ok());
  }
}

TEST(ResolveTargetTest, RefusesWhatTheTargetCannotTake) {
  EXPECT_THAT(Fields(For(Target::kEdgeTpu, "float16")), ElementsAre("recipe.target"));
  EXPECT_THAT(Fields(For(Target::kMicrocontroller, "dynamic-range")), ElementsAre("recipe.target"));
  EXPECT_THAT(Fields(For(Target::kEdgeTpu, "int16x8")), Contains("recipe.quantize.activations.bits"));
  Recipe narrow = For(Target::kEdgeTpu, "int8");
  narrow.quantize.weights.bits = 4;
  EXPECT_THAT(Fields(narrow), ElementsAre("recipe.quantize.weights.bits"));
  Recipe loose = For(Target::kMicrocontroller, "int8");
  loose.quantize.require_full_integer = false;
  EXPECT_THAT(Fields(loose), Contains("recipe.quantize.require_full_integer"));
  Recipe gated = For(Target::kEdgeTpu, "int8");
  gated.min_sqnr_db = 30;
  EXPECT_THAT(Fields(gated), ElementsAre("recipe.min_sqnr_db"));
}

TEST(ResolveTargetTest, RefusesRulesThatLeaveFloat) {
  Rule convolutions;
  convolutions.selector.kinds = {"CONV_2D"};
  Recipe skips = For(Target::kMicrocontroller, "int8");
  skips.rules.push_back(convolutions);
  skips.rules[0].skip = true;
  EXPECT_THAT(Fields(skips), Contains("recipe.rules[0].skip"));
  Recipe mixes = For(Target::kEdgeTpu, "int8");
  mixes.rules.push_back(convolutions);
  mixes.rules[0].quantize.scheme = Scheme::kFloat16;
  EXPECT_THAT(Fields(mixes), Contains("recipe.rules[0].quantize.scheme"));
}

}  // namespace
}  // namespace lathe
