#include "client/cli/job_inputs.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

TEST(JobInputsTest, ParsesInputRanges) {
  EXPECT_EQ(*ParseInputRange("0,255"), std::pair(0.0, 255.0));
  EXPECT_EQ(*ParseInputRange("-1.5,1e2"), std::pair(-1.5, 100.0));
  for (const char* text : {"", "1", "1,", "1,2,3", "2,1", "1,1", "nan,1", "0,inf", "a,b"}) {
    EXPECT_EQ(ReasonOf(ParseInputRange(text).status()), "USAGE") << text;
  }
}

TEST(JobInputsTest, PutsScaleAndMeanIntoTheRecipe) {
  RecipeOptions options;
  options.preset = "int8";
  options.data.scale = 0.5;
  options.data.mean = 3;
  const auto recipe = MakeRecipe(options);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->preset(), "int8");
  EXPECT_EQ(recipe->preprocessing().scale(), 0.5);
  EXPECT_EQ(recipe->preprocessing().mean(), 3);
}

TEST(JobInputsTest, FlagsWinOverTheRecipeFile) {
  const TempDir folder;
  RecipeOptions options;
  options.recipe_path = folder.path() + "/recipe.yaml";
  std::ofstream(options.recipe_path) << "{preset: int8, effort: FAST, min_sqnr_db: 20, quantize: {io_type: INT8}}";
  options.io_type = "uint8";
  options.effort = "best";
  options.min_sqnr_db = 30;
  options.allow_larger = true;
  const auto recipe = MakeRecipe(options);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->quantize().io_type(), v1::Quantize::UINT8);
  EXPECT_EQ(recipe->effort(), v1::Recipe::BEST);
  EXPECT_EQ(recipe->min_sqnr_db(), 30);
  EXPECT_TRUE(recipe->allow_larger());
}

TEST(JobInputsTest, RefusesAScaleOfZero) {
  RecipeOptions options;
  options.preset = "int8";
  options.data.scale = 0;
  EXPECT_EQ(ReasonOf(MakeRecipe(options).status()), "BAD_REQUEST");
}

}  // namespace
}  // namespace lathe
