#include "optimizer/recipe/preprocessing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Violations(const Preprocessing& preprocessing) {
  ViolationList violations("recipe");
  CheckPreprocessing(preprocessing, violations);
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations.violations()) fields.push_back(violation.field);
  return fields;
}

TEST(PreprocessingTest, AcceptsWhatIsWhole) {
  Preprocessing preprocessing;
  EXPECT_THAT(Violations(preprocessing), IsEmpty());
  preprocessing.resize = ImageResize{224, 224, 0, ImageResize::Method::kArea};
  preprocessing.crop = ImageCrop{8192, 1};
  preprocessing.channel_mean = {1, 2, 3};
  EXPECT_THAT(Violations(preprocessing), IsEmpty());
  preprocessing.resize = ImageResize{0, 0, 256, std::nullopt};
  EXPECT_THAT(Violations(preprocessing), IsEmpty());
}

TEST(PreprocessingTest, NamesEveryWrongField) {
  Preprocessing preprocessing;
  preprocessing.scale = 0;
  preprocessing.mean = std::numeric_limits<double>::quiet_NaN();
  preprocessing.resize = ImageResize{0, 9000, 0, std::nullopt};
  preprocessing.crop = ImageCrop{0, 1};
  EXPECT_THAT(
      Violations(preprocessing),
      ElementsAre("recipe.preprocessing.scale", "recipe.preprocessing.mean", "recipe.preprocessing.resize.height",
                  "recipe.preprocessing.resize.width", "recipe.preprocessing.crop.height"));
  preprocessing = {};
  preprocessing.resize = ImageResize{224, 224, 256, std::nullopt};
  preprocessing.scale = 1;
  preprocessing.channel_scale = {1, 0};
  preprocessing.channel_mean = {1, 2, 3, 4, 5};
  EXPECT_THAT(Violations(preprocessing),
              ElementsAre("recipe.preprocessing.resize", "recipe.preprocessing.channel_mean",
                          "recipe.preprocessing.channel_scale", "recipe.preprocessing.channel_mean",
                          "recipe.preprocessing.scale"));
}

TEST(PreprocessingTest, MergesFieldByField) {
  Preprocessing base, over;
  base.scale = 0.5;
  base.crop = ImageCrop{1, 2};
  over.mean = 3;
  const Preprocessing merged = MergePreprocessing(base, over);
  EXPECT_EQ(merged.scale, 0.5);
  EXPECT_EQ(merged.mean, 3);
  EXPECT_EQ(merged.crop->width, 2u);
}

TEST(PreprocessingTest, ReplacesNumbersOfChannelsAsOne) {
  Preprocessing base, over;
  base.scale = 0.5;
  over.channel_mean = {1, 2, 3};
  EXPECT_FALSE(MergePreprocessing(base, over).scale.has_value());
  EXPECT_TRUE(MergePreprocessing(over, base).channel_mean.empty());
  EXPECT_EQ(MergePreprocessing(over, {}).channel_mean.size(), 3u);
}

}  // namespace
}  // namespace lathe
