#include "optimizer/math/weight_error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "common/parallel.h"

namespace lathe::math {
namespace {

std::vector<float> Weights(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> weights(count);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

// The error as its formula says, in double.
double ErrorByFormula(absl::Span<const float> weights, double scale, double lowest, double highest) {
  double sum = 0;
  for (double weight : weights) {
    const double level = std::clamp(std::nearbyint(weight / scale), lowest, highest);
    sum += (weight - scale * level) * (weight - scale * level);
  }
  return sum;
}

TEST(SquaredErrorTest, IsTheFormula) {
  const std::vector<float> weights = Weights(3001, 3);
  EXPECT_NEAR(SquaredError(weights, 0.3f, 4), ErrorByFormula(weights, 0.3f, -7, 7), 1e-3);
  EXPECT_NEAR(SquaredError(weights, 0.9f, 2), ErrorByFormula(weights, 0.9f, -2, 1), 1e-2);
}

TEST(LowerScalesToLeastErrorTest, ComesCloseToTheBestFractionInEveryLayout) {
  const std::vector<float> weights = Weights(6 * 10 * 7, 4);
  for (const ChannelLayout layout : {ChannelLayout{1, 6, 70}, {6, 10, 7}, {42, 10, 1}, {1, 1, 420}}) {
    for (int bits : {4, 2}) {
      std::vector<float> start(static_cast<size_t>(layout.channels));
      ASSERT_TRUE(ChooseWeightScales(weights, layout, absl::MakeSpan(start), bits).ok());
      std::vector<float> scales = start;
      LowerScalesToLeastError(weights, layout, bits, absl::MakeSpan(scales));
      for (size_t c = 0; c < scales.size(); ++c) {
        std::vector<float> channel;
        for (size_t i = 0; i < weights.size(); ++i) {
          if (i / static_cast<size_t>(layout.inner) % scales.size() == c) channel.push_back(weights[i]);
        }
        const double lowest = LowestLevel(bits), highest = HighestLevel(bits);
        double least = ErrorByFormula(channel, start[c], lowest, highest);
        for (double f = 1; f > 0.29; f -= 0.025) {
          least = std::min(least, ErrorByFormula(channel, start[c] * f, lowest, highest));
        }
        EXPECT_LE(ErrorByFormula(channel, scales[c], lowest, highest), least * 1.15 + 1e-6);
      }
    }
  }
}

TEST(LowerScalesToLeastErrorTest, ClipsAHeavyTailBelowTheGridOfFractions) {
  std::vector<float> weights = Weights(100000, 5);
  weights[7] = 100;
  std::vector<float> scale = {100 / 7.0f};
  LowerScalesToLeastError(weights, {1, 1, 100000}, 4, absl::MakeSpan(scale));
  EXPECT_LT(scale[0], 0.29f * 100 / 7);
}

TEST(LowerScalesToLeastErrorTest, Int8KeepsTheLargestValue) {
  const std::vector<float> weights = Weights(1000, 6);
  std::vector<float> scale(1);
  ASSERT_TRUE(ChooseWeightScales(weights, {1, 1, 1000}, absl::MakeSpan(scale)).ok());
  const std::vector<float> before = scale;
  LowerScalesToLeastError(weights, {1, 1, 1000}, 8, absl::MakeSpan(scale));
  EXPECT_EQ(scale, before);
}

TEST(LowerScalesToLeastErrorTest, ThreadsDoNotChangeIt) {
  const std::vector<float> weights = Weights(64 * 1000, 8);
  std::vector<float> one(64), four(64);
  for (auto [scales, threads] : {std::pair(&one, 1), {&four, 4}}) {
    ASSERT_TRUE(ChooseWeightScales(weights, {1, 64, 1000}, absl::MakeSpan(*scales), 4).ok());
    WithThreads(threads, [&] { LowerScalesToLeastError(weights, {1, 64, 1000}, 4, absl::MakeSpan(*scales)); });
  }
  EXPECT_EQ(one, four);
}

TEST(BalanceRoundingTest, ErrorsOfEachChannelCancelAndNoLevelLeavesItsNeighbours) {
  const std::vector<float> weights = Weights(6 * 10 * 14, 10);
  for (const ChannelLayout layout : {ChannelLayout{1, 6, 140}, {6, 10, 14}, {84, 10, 1}}) {
    for (int bits : {8, 4, 2}) {
      std::vector<float> scales(static_cast<size_t>(layout.channels));
      ASSERT_TRUE(ChooseWeightScales(weights, layout, absl::MakeSpan(scales), bits).ok());
      std::vector<int8_t> levels(weights.size());
      QuantizeWeights(weights, layout, scales, absl::MakeSpan(levels), bits);
      BalanceRounding(weights, layout, scales, bits, absl::MakeSpan(levels));
      std::vector<double> sums(scales.size());
      for (size_t i = 0; i < weights.size(); ++i) {
        const size_t c = i / static_cast<size_t>(layout.inner) % scales.size();
        const double error = levels[i] - double{weights[i]} / scales[c];
        EXPECT_LT(std::fabs(error), 1.0001);
        EXPECT_GE(levels[i], LowestLevel(bits));
        EXPECT_LE(levels[i], HighestLevel(bits));
        sums[c] += error;
      }
      for (double sum : sums) EXPECT_LE(std::fabs(sum), 0.5001);
    }
  }
}

TEST(DetailSqnrDbTest, NeitherConstantsNorOutliersHideTheLossOfDetail) {
  std::vector<float> table = Weights(64 * 256, 9);
  const float step = 0.03f;
  const double plain = DetailSqnrDb(table, 256, {&step, 1});
  // Mean distance sqrt(2 / pi) of normal numbers against the variance of a uniform rounding error.
  EXPECT_NEAR(plain, 10 * std::log10(2 / M_PI * 12 / (step * step)), 0.7);
  std::vector<float> shifted = table;
  for (size_t i = 0; i < table.size(); ++i) shifted[i] += static_cast<float>(300 * (i / 256));
  EXPECT_NEAR(DetailSqnrDb(shifted, 256, {&step, 1}), plain, 0.7);
  std::vector<float> outlier = table;
  outlier[1000] = 1e4f;
  EXPECT_NEAR(DetailSqnrDb(outlier, 256, {&step, 1}), plain, 0.7);
  const std::vector<float> steps(64, step);
  EXPECT_EQ(DetailSqnrDb(table, 256, steps), plain);
}

TEST(DetailSqnrDbTest, TablesWithoutErrorOrDetail) {
  const float step = 1;
  EXPECT_EQ(DetailSqnrDb(std::vector<float>{1, 2, 3, 4}, 2, {&step, 1}), 200);
  EXPECT_EQ(DetailSqnrDb(std::vector<float>{0.4f, 0.4f}, 2, {&step, 1}), 200);
}

}  // namespace
}  // namespace lathe::math
