#include "optimizer/recipe/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/recipe/validate.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> PlanOf(const std::string& preset) {
  Recipe recipe;
  recipe.preset = preset;
  return PlanRecipe(ResolveRecipe(recipe, "recipe").value());
}

TEST(PlanRecipeTest, CleansUpBeforeItQuantizes) {
  EXPECT_THAT(PlanOf("float16"), ElementsAre("fold-constants", "fold-scales", "subtract-residual-constants",
                                             "drop-unused", "quantize-float16", "share-constants"));
  EXPECT_THAT(PlanOf("dynamic-range"), ElementsAre("fold-constants", "fold-scales", "subtract-residual-constants",
                                                   "drop-unused", "quantize-dynamic-range", "share-constants"));
  EXPECT_THAT(PlanOf("weight-only-int8"), ElementsAre("fold-constants", "fold-scales", "subtract-residual-constants",
                                                      "drop-unused", "quantize-weight-only", "share-constants"));
  EXPECT_THAT(PlanOf("int8"),
              ElementsAre("fold-constants", "fold-scales", "fully-connect-matmuls", "subtract-residual-constants",
                          "drop-unused", "quantize-full-integer", "quantize-recurrent-weights", "share-constants"));
}

TEST(PlanRecipeTest, RunsThePassOfEveryScheme) {
  Recipe recipe;
  recipe.preset = "int8";
  const auto add_rule = [&](const char* kind, Scheme scheme, bool skip) {
    Rule& rule = recipe.rules.emplace_back();
    rule.selector.kinds = {kind};
    rule.skip = skip;
    if (!skip) rule.quantize.scheme = scheme;
  };
  add_rule("FULLY_CONNECTED", Scheme::kWeightOnly, false);
  add_rule("GATHER", Scheme::kFloat16, false);
  add_rule("SOFTMAX", Scheme::kDynamicRange, true);
  EXPECT_THAT(PlanRecipe(ResolveRecipe(recipe, "recipe").value()),
              ElementsAre("fold-constants", "fold-scales", "fully-connect-matmuls", "subtract-residual-constants",
                          "drop-unused", "quantize-full-integer", "quantize-recurrent-weights", "quantize-weight-only",
                          "quantize-float16", "share-constants"));
}

TEST(PlanRecipeTest, RunsRulesOfARecipeThatLeavesTheRestAlone) {
  Recipe recipe;
  Rule& rule = recipe.rules.emplace_back();
  rule.selector.name_regex = "^head/";
  rule.quantize.scheme = Scheme::kDynamicRange;
  EXPECT_THAT(PlanRecipe(ResolveRecipe(recipe, "recipe").value()),
              ElementsAre("fold-constants", "fold-scales", "subtract-residual-constants", "drop-unused",
                          "quantize-dynamic-range", "share-constants"));
}

TEST(PlanRecipeTest, NamesListedPassesOnly) {
  for (const PresetInfo& preset : Presets()) {
    if (!preset.supported) continue;
    for (const std::string& pass : PlanOf(preset.name)) {
      EXPECT_TRUE(std::any_of(Passes().begin(), Passes().end(), [&](const PassInfo& info) {
        return info.name == pass;
      })) << pass;
    }
  }
}

}  // namespace
}  // namespace lathe
