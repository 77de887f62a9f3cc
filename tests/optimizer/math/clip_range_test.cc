#include "optimizer/math/clip_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

constexpr int kLevels = 255;
constexpr ClipRange kAll = {-1e9, 1e9};

std::vector<float> Draw(size_t count, double outlier, bool positive) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = positive ? std::max(0.0f, normal(random)) : normal(random);
  if (outlier != 0) values[count / 2] = static_cast<float>(outlier);
  return values;
}

Histogram HistogramOf(const std::vector<float>& values) {
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  Histogram histogram(*lo, *hi);
  histogram.Add(values);
  return histogram;
}

// What really happens to the values: clip, round to the grid that holds 0, measure.
double RealError(const std::vector<float>& values, ClipRange range) {
  const double step = (range.hi - range.lo) / kLevels, zero = std::round(-range.lo / step);
  double sum = 0;
  for (float value : values) {
    const double level = std::clamp(std::round(value / step) + zero, 0.0, double{kLevels});
    sum += std::pow((level - zero) * step - value, 2);
  }
  return sum / static_cast<double>(values.size());
}

TEST(DistributionTest, EstimatesTheErrorOfRounding) {
  for (bool positive : {false, true}) {
    const std::vector<float> values = Draw(100000, 0, positive);
    const Histogram histogram = HistogramOf(values);
    const Distribution distribution({{&histogram, 1}}, kAll);
    for (double shrink : {1.0, 0.8, 0.5, 0.2}) {
      const ClipRange range = {distribution.whole().lo * shrink, distribution.whole().hi * shrink};
      EXPECT_NEAR(distribution.ErrorOf(range, kLevels) / RealError(values, range), 1, 0.03) << positive << shrink;
    }
  }
}

TEST(DistributionTest, CutsOffTheShareAsked) {
  std::vector<float> values(100001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 100000;  // 0..1
  const Histogram one_sided = HistogramOf(values);
  EXPECT_NEAR(Distribution({{&one_sided, 1}}, kAll).Percentile(0.99).hi, 0.99, 0.001);
  EXPECT_EQ(Distribution({{&one_sided, 1}}, kAll).Percentile(0.99).lo, 0);
  for (float& value : values) value = value * 2 - 1;  // -1..1
  const Histogram two_sided = HistogramOf(values);
  EXPECT_NEAR(Distribution({{&two_sided, 1}}, kAll).Percentile(0.99).lo, -0.99, 0.002);
  EXPECT_NEAR(Distribution({{&two_sided, 1}}, kAll).Percentile(0.99).hi, 0.99, 0.002);
}

// The search against trying everything on the values themselves.
TEST(DistributionTest, FindsTheRangeOfLeastError) {
  for (double outlier : {0.0, 10.0, 40.0}) {
    for (bool positive : {false, true}) {
      const std::vector<float> values = Draw(5000, outlier, positive);
      const Histogram histogram = HistogramOf(values);
      const Distribution distribution({{&histogram, 1}}, kAll);
      const double found = RealError(values, distribution.LeastError(kLevels));
      double least = RealError(values, distribution.whole());
      for (double lo = 1; lo > (positive ? 0.9 : 0.0005); lo *= 0.9) {
        for (double hi = 1; hi > 0.0005; hi *= 0.9) {
          least = std::min(least, RealError(values, {distribution.whole().lo * lo, distribution.whole().hi * hi}));
        }
      }
      EXPECT_LT(found, least * 1.05) << outlier << " " << positive;
    }
  }
}

TEST(DistributionTest, LeastDivergenceDropsAnOutlierAndKeepsAUniform) {
  const std::vector<float> outlier = Draw(100000, 1000, false);
  const Histogram with_outlier = HistogramOf(outlier);
  const ClipRange clipped = Distribution({{&with_outlier, 1}}, kAll).LeastDivergence(kLevels);
  EXPECT_LT(clipped.hi, 200);
  EXPECT_GT(clipped.hi, 1);
  std::vector<float> even(100000);
  for (size_t i = 0; i < even.size(); ++i) even[i] = static_cast<float>(i + 1);
  const Histogram uniform = HistogramOf(even);
  EXPECT_GT(Distribution({{&uniform, 1}}, kAll).LeastDivergence(kLevels).hi, 95000);
}

// Two tensors that share a range: one of them counts ten times.
TEST(DistributionTest, WeighsItsParts) {
  const std::vector<float> narrow = Draw(5000, 0, true);
  std::vector<float> wide = narrow;
  for (float& value : wide) value *= 50;
  const Histogram a = HistogramOf(narrow), b = HistogramOf(wide);
  const Distribution both({{&a, 10}, {&b, 1}}, kAll);
  EXPECT_EQ(both.whole().hi, b.hi());
  const ClipRange range = {0, both.whole().hi * 0.7};
  const double expected = (10 * Distribution({{&a, 1}}, kAll).ErrorOf(range, kLevels) +
                           Distribution({{&b, 1}}, kAll).ErrorOf(range, kLevels)) /
                          11;
  EXPECT_NEAR(both.ErrorOf(range, kLevels), expected, expected * 1e-9);
}

TEST(DistributionTest, ForgetsWhatLiesBeyondTheLimit) {
  std::vector<float> values = Draw(5000, 0, false);
  const Histogram all = HistogramOf(values);
  const Distribution limited({{&all, 1}}, {-2, 1});
  std::erase_if(values, [](float value) { return value < -2 || value > 1; });
  EXPECT_EQ(limited.whole().lo, -2);
  EXPECT_EQ(limited.whole().hi, 1);
  const ClipRange range = {-1, 0.75};
  EXPECT_NEAR(limited.ErrorOf(range, kLevels) / RealError(values, range), 1, 0.03);
}

TEST(DistributionTest, OfZerosAloneIsWhole) {
  Histogram histogram(0, 1);
  histogram.Add(std::vector<float>(100, 0));
  const Distribution zeros({{&histogram, 1}}, kAll);
  for (ClipRange range :
       {zeros.whole(), zeros.Percentile(0.9), zeros.LeastError(kLevels), zeros.LeastDivergence(kLevels)}) {
    EXPECT_EQ(range.lo, 0);
    EXPECT_EQ(range.hi, 1);
  }
}

}  // namespace
}  // namespace lathe::math
