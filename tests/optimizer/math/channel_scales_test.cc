#include "optimizer/math/channel_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::math {
namespace {

using ::testing::ElementsAre;

// Two rows of two taps and three columns.
const std::vector<float> kRows = {1, -2, 3, 4, 5, -6, -7, 8, 9, 10, 11, 12};
constexpr WeightGrid kGrid = {.rows = 2, .taps = 2, .columns = 3};
// Three taps of four rows; rows 0 and 1 read column 0, rows 2 and 3 column 1.
const std::vector<float> kDepthwise = {1, 2, 3, 4, -5, 6, 7, 8, 9, -10, 11, 0};
constexpr WeightGrid kDepthwiseGrid = {.rows = 4, .taps = 3, .columns = 2, .depthwise = true};
// Two rows in two groups of two columns.
constexpr WeightGrid kGrouped = {.rows = 2, .taps = 1, .columns = 4, .groups = 2};

TEST(ChannelScalesTest, LargestOverTaps) {
  EXPECT_THAT(LargestOverTaps(kRows, kGrid), ElementsAre(4, 5, 6, 10, 11, 12));
  EXPECT_THAT(LargestOverTaps(kDepthwise, kDepthwiseGrid), ElementsAre(9, 10, 11, 8));
}

TEST(ChannelScalesTest, LargestOfRowsAndColumns) {
  const std::vector<float> largest = LargestOverTaps(kRows, kGrid);
  std::vector<float> rows(2), columns(3);
  LargestOfRows(largest, kGrid, {1, 2, 0.5f}, absl::MakeSpan(rows));
  EXPECT_THAT(rows, ElementsAre(10, 22));
  LargestOfColumns(largest, kGrid, {10, 1}, absl::MakeSpan(columns));
  EXPECT_THAT(columns, ElementsAre(40, 50, 60));
}

TEST(ChannelScalesTest, DepthwiseRowMeetsOneColumn) {
  const std::vector<float> largest = LargestOverTaps(kDepthwise, kDepthwiseGrid);
  std::vector<float> rows(4), columns(2);
  LargestOfRows(largest, kDepthwiseGrid, {1, 10}, absl::MakeSpan(rows));
  EXPECT_THAT(rows, ElementsAre(9, 10, 110, 80));
  LargestOfColumns(largest, kDepthwiseGrid, {2, 1, 1, 2}, absl::MakeSpan(columns));
  EXPECT_THAT(columns, ElementsAre(18, 16));
}

TEST(ChannelScalesTest, GroupedRowMeetsTheColumnsOfItsGroup) {
  const std::vector<float> weights = {1, -2, 3, 4};
  std::vector<float> rows(2), columns(4);
  LargestOfRows(weights, kGrouped, {1, 1, 1, 10}, absl::MakeSpan(rows));
  EXPECT_THAT(rows, ElementsAre(2, 40));
  LargestOfColumns(weights, kGrouped, {1, 10}, absl::MakeSpan(columns));
  EXPECT_THAT(columns, ElementsAre(1, 2, 30, 40));
}

TEST(ChannelScalesTest, ScaleWeightsMultipliesBothSides) {
  std::vector<float> out(12);
  ScaleWeights(kRows, kGrid, {1, 2}, {1, 10, 100}, absl::MakeSpan(out));
  EXPECT_THAT(out, ElementsAre(1, -20, 300, 4, 50, -600, -14, 160, 1800, 20, 220, 2400));
  ScaleWeights(kDepthwise, kDepthwiseGrid, {1, 1, 1, 2}, {1, 10}, absl::MakeSpan(out));
  EXPECT_THAT(out, ElementsAre(1, 2, 30, 80, -5, 6, 70, 160, 9, -10, 110, 0));
}

TEST(ChannelScalesTest, SumOfRowsIsWhatAConstantInputGives) {
  std::vector<double> rows(2), depthwise(4);
  SumOfRows(kRows, kGrid, {1, 1, 2}, absl::MakeSpan(rows));
  EXPECT_THAT(rows, ElementsAre(1 - 2 + 6 + 4 + 5 - 12, -7 + 8 + 18 + 10 + 11 + 24));
  SumOfRows(kDepthwise, kDepthwiseGrid, {1, 10}, absl::MakeSpan(depthwise));
  EXPECT_THAT(depthwise, ElementsAre(5, -2, 210, 120));
}

}  // namespace
}  // namespace lathe::math
