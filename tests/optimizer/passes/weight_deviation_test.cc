#include "optimizer/passes/weight_deviation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lathe {
namespace {

constexpr math::ChannelLayout kLayout = {1, 4, 256};

std::vector<float> Normal(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(kLayout.channels * kLayout.inner));
  for (float& value : values) {
    value = 0;
    for (int i = 0; i < 12; ++i) value += static_cast<float>(random() >> 8) * 0x1p-24F - 0.5f;
  }
  return values;
}

// The weights rounded to `bits` with these scales: one, or one a channel.
StoredConstant Stored(const std::vector<float>& weights, std::vector<float> scales, int bits = 8) {
  StoredConstant stored;
  stored.type = bits == 4 ? TensorType::kInt4 : TensorType::kInt8;
  stored.layout = kLayout;
  stored.scales = std::move(scales);
  stored.zero_points.assign(stored.scales.size(), 0);
  const float highest = bits == 4 ? 7 : 127;
  stored.lowest_level = -static_cast<int64_t>(highest);
  for (size_t i = 0; i < weights.size(); ++i) {
    const float scale = stored.scales[stored.ScaleIndex(i)];
    stored.values.push_back(std::clamp(std::nearbyint(weights[i] / scale), -highest, highest) * scale);
  }
  return stored;
}

float Largest(const std::vector<float>& weights, size_t channel) {
  float largest = 0;
  for (size_t i = 0; i < 256; ++i) largest = std::max(largest, std::abs(weights[channel * 256 + i]));
  return largest;
}

std::vector<float> ChannelScales(const std::vector<float>& weights) {
  std::vector<float> scales;
  for (size_t c = 0; c < 4; ++c) scales.push_back(Largest(weights, c) / 127);
  return scales;
}

std::vector<double> RangeShares(const std::vector<float>& weights, const StoredConstant& stored) {
  std::vector<double> shares;
  for (const WeightDeviation& channel : FindWeightDeviations(weights, stored, kLayout)) {
    shares.push_back(channel.range_share);
  }
  return shares;
}

TEST(WeightDeviationTest, ScalesThatFitTheirChannelsOnlyRound) {
  const std::vector<float> weights = Normal(1);
  for (double share : RangeShares(weights, Stored(weights, ChannelScales(weights)))) EXPECT_NEAR(share, 0, 1e-6);
}

TEST(WeightDeviationTest, AnOutlierStretchesTheRangeOfItsChannel) {
  std::vector<float> weights = Normal(1);
  weights[3] = 40;  // ten times the largest or so, 40 rms: 6 rms of it are natural
  const std::vector<double> shares = RangeShares(weights, Stored(weights, ChannelScales(weights)));
  EXPECT_NEAR(shares[0], 1 - 36.0 / 1600, 0.02);
  for (size_t c = 1; c < 4; ++c) EXPECT_NEAR(shares[c], 0, 1e-6);
  // Of 256 weights of power 1 and the outlier of 1600, 36 are ordinary power of the outlier.
  const auto deviations = FindWeightDeviations(weights, Stored(weights, ChannelScales(weights)), kLayout);
  EXPECT_NEAR(deviations[0].ordinary_power, (256 + 36) / 1856.0, 0.02);
  EXPECT_EQ(deviations[1].ordinary_power, 1);
}

TEST(WeightDeviationTest, AChannelStretchesTheScaleOfTheOthers) {
  std::vector<float> weights = Normal(1);
  for (size_t i = 0; i < 256; ++i) weights[i] *= 50;
  const std::vector<double> shares = RangeShares(weights, Stored(weights, {Largest(weights, 0) / 127}));
  EXPECT_NEAR(shares[0], 0, 1e-6);
  for (size_t c = 1; c < 4; ++c) EXPECT_GT(shares[c], 0.99);
}

TEST(WeightDeviationTest, ClippedWeightsErrByTheirRange) {
  const std::vector<float> weights = Normal(1);
  std::vector<float> scales = ChannelScales(weights);
  scales[2] /= 4;
  const std::vector<double> shares = RangeShares(weights, Stored(weights, scales));
  EXPECT_GT(shares[2], 0.99);
  EXPECT_NEAR(shares[1], 0, 1e-6);
}

// Of 4 bits the least error clips, so a scale that covers the largest weight is too large.
TEST(WeightDeviationTest, FewBitsHaveASmallerNaturalScale) {
  const std::vector<float> weights = Normal(1);
  std::vector<float> scales;
  for (size_t c = 0; c < 4; ++c) scales.push_back(Largest(weights, c) / 7);
  double sum = 0;
  for (double share : RangeShares(weights, Stored(weights, scales, 4))) {
    EXPECT_LT(share, 0.7);
    sum += share;
  }
  EXPECT_GT(sum / 4, 0.05);
}

TEST(WeightDeviationTest, RoundingIsNoFactor) {
  std::vector<float> weights = Normal(1);
  EXPECT_TRUE(FindChannelFactors(weights, Stored(weights, ChannelScales(weights)), kLayout).empty());
  EXPECT_TRUE(FindChannelFactors(weights, Stored(weights, {0.1f}, 4), kLayout).empty());
  weights[3] = 40;  // an outlier that b has clipped is none either
  EXPECT_TRUE(FindChannelFactors(weights, Stored(weights, {3.0f / 127}), kLayout).empty());
}

TEST(WeightDeviationTest, FindsTheFactorsOfEqualization) {
  const std::vector<float> weights = Normal(1);
  std::vector<float> scaled = weights;
  const float factors[] = {0.5f, 1, 1.2f, 3};
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= factors[i / 256];
  for (int bits : {8, 4}) {
    std::vector<float> scales = ChannelScales(scaled);
    for (float& scale : scales) scale *= bits == 4 ? 127.0f / 7 : 1;
    const std::vector<float> found = FindChannelFactors(weights, Stored(scaled, scales, bits), kLayout);
    ASSERT_EQ(found.size(), 4u) << bits;
    for (size_t c = 0; c < 4; ++c) EXPECT_NEAR(found[c] / factors[c], 1, bits == 8 ? 0.01 : 0.06) << bits;
  }
}

// An outlier that leaves its channel no other levels tells the factor by itself.
TEST(WeightDeviationTest, FindsTheFactorOfAChannelWithAnOutlier) {
  std::vector<float> weights = Normal(1);
  weights[3] = 1000;
  std::vector<float> scaled = weights;
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= i < 256 ? 0.0625f : 2;
  const std::vector<float> found = FindChannelFactors(weights, Stored(scaled, ChannelScales(scaled)), kLayout);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_NEAR(found[0], 0.0625, 1e-3);
  EXPECT_NEAR(found[1], 2, 0.02);
}

}  // namespace
}  // namespace lathe
