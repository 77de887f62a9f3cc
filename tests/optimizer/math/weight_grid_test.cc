#include "optimizer/math/weight_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

// Levels in [-highest, highest], the highest among them, times a scale.
std::vector<float> OnGrid(const std::vector<int8_t>& levels, float scale) {
  std::vector<float> values;
  for (int8_t level : levels) values.push_back(scale * static_cast<float>(level));
  return values;
}

std::vector<int8_t> RandomLevels(std::mt19937& random, size_t count, int highest) {
  std::vector<int8_t> levels(count);
  for (int8_t& level : levels) {
    level = static_cast<int8_t>(static_cast<int>(random() % static_cast<unsigned>(2 * highest + 1)) - highest);
  }
  levels[random() % count] = static_cast<int8_t>(highest);
  return levels;
}

std::vector<float> ScalesOf(const std::vector<float>& weights, ChannelLayout layout) {
  std::vector<float> scales(static_cast<size_t>(layout.channels));
  EXPECT_TRUE(ChooseWeightScales(weights, layout, absl::MakeSpan(scales)).ok());
  return scales;
}

TEST(WeightGridTest, IntegersThatDoNotUseTheirWholeRangeComeBack) {
  std::mt19937 random(1);
  for (int highest = 1; highest <= 127; highest += 3) {
    const std::vector<int8_t> levels = RandomLevels(random, 64, highest);
    const float scale = std::ldexp(1.0f + static_cast<float>(random() % 1000) / 1000, -static_cast<int>(random() % 20));
    const std::vector<float> values = OnGrid(levels, scale);
    const ChannelLayout layout{.outer = 1, .channels = 1, .inner = 64};
    const std::vector<float> scales = ScalesOf(values, layout);
    std::vector<int8_t> again(levels.size());
    QuantizeWeights(values, layout, scales, absl::MakeSpan(again));
    EXPECT_EQ(OnGrid(again, scales[0]), values) << "highest level " << highest;  // the same weights to the bit
    if (highest > 127 / 2) {
      EXPECT_EQ(again, levels) << "highest level " << highest;
    }
  }
}

TEST(WeightGridTest, EachChannelHasItsOwnGridWhereverItLies) {
  // Two channels, innermost as in a depthwise filter: levels up to 100 and up to 127.
  std::mt19937 random(2);
  const std::vector<int8_t> a = RandomLevels(random, 90, 100), b = RandomLevels(random, 90, 127);
  std::vector<float> weights;
  for (size_t i = 0; i < a.size(); ++i) {
    weights.push_back(0.013f * static_cast<float>(a[i]));
    weights.push_back(0.7f * static_cast<float>(b[i]));
  }
  const std::vector<float> scales = ScalesOf(weights, {.outer = 90, .channels = 2, .inner = 1});
  EXPECT_EQ(scales[0], 0.013f);
  EXPECT_EQ(scales[1], 0.7f);
}

TEST(WeightGridTest, OrdinaryWeightsKeepTheWholeRange) {
  std::mt19937 random(3);
  std::vector<float> weights(256);
  for (float& weight : weights) weight = static_cast<float>(random() >> 8) * 0x1p-24f - 0.5f;
  float largest = 0;
  for (float weight : weights) largest = std::max(largest, std::fabs(weight));
  EXPECT_EQ(ScalesOf(weights, {.outer = 1, .channels = 1, .inner = 256})[0], largest / 127.0f);
}

TEST(WeightGridTest, ZerosAndSingleValuesKeepTheirScale) {
  EXPECT_EQ(ScalesOf({0, 0, 0, 0}, {.outer = 1, .channels = 2, .inner = 2})[0], 1);
  EXPECT_EQ(ScalesOf({2.54f, 0}, {.outer = 1, .channels = 1, .inner = 2})[0], 2.54f / 127);
}

}  // namespace
}  // namespace lathe::math
