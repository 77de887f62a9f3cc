#include "optimizer/math/clipping_error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

// One value in each bin of -8 .. 8: -8 + (i + 0.5) / 128.
std::vector<float> OneInEachBin() {
  std::vector<float> values;
  for (int i = 0; i < 2048; ++i) values.push_back(static_cast<float>((i + 0.5) / 128 - 8));
  return values;
}

Histogram Counted(const std::vector<float>& values, float lo, float hi) {
  Histogram histogram(lo, hi);
  histogram.Add(values);
  return histogram;
}

TEST(ClippingErrorTest, EndsAreThoseOfTheLevels) {
  EXPECT_EQ(LowestValue({.scale = 0.5, .zero_point = 2}), -65);
  EXPECT_EQ(HighestValue({.scale = 0.5, .zero_point = 2}), 62.5);
}

// Levels from -4 to 3.96875 in steps of 1/32: the values below -4.015625 (510 of them) and above 3.984375 (514) are cut
// off. Means of v^2 and of what is cut off by numpy, in double.
TEST(ClippingErrorTest, SharesAndErrorsOfKnownValues) {
  const ClippingError found = MeasureClipping(Counted(OneInEachBin(), -8, 8), {.scale = 1.0F / 32, .zero_point = 0});
  EXPECT_EQ(found.clipped_share, 1024.0 / 2048);
  EXPECT_NEAR(found.signal, 21.333328247, 1e-8);
  EXPECT_NEAR(found.error, 2.6981587409973145 + 0.5 / (12 * 1024), 1e-8);
}

TEST(ClippingErrorTest, ZerosAreExactAndCount) {
  std::vector<float> values = OneInEachBin();
  values.insert(values.end(), 2048, 0.0F);
  const ClippingError found = MeasureClipping(Counted(values, -8, 8), {.scale = 1.0F / 32, .zero_point = 0});
  EXPECT_EQ(found.clipped_share, 1024.0 / 4096);
  EXPECT_NEAR(found.signal, 21.333328247 / 2, 1e-8);
}

TEST(ClippingErrorTest, WholeRangeCutsNothingOff) {
  for (const auto& [lo, hi] : {std::pair{-8.0F, 8.0F}, {0.0F, 6.0F}, {-0.3F, 17.7F}, {2.0F, 3.0F}, {-1e-3F, 1e3F}}) {
    Histogram histogram(lo, hi);
    histogram.Add(std::vector<float>{lo, hi, (lo + hi) / 2});
    EXPECT_EQ(MeasureClipping(histogram, ChooseInt8Params(lo, hi)).clipped_share, 0) << lo << ' ' << hi;
  }
}

TEST(ClippingErrorTest, ExpectsTheErrorThatQuantizingMakes) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.5F, 2);
  std::vector<float> values(100'000);
  for (float& value : values) value = std::clamp(normal(random), -9.0F, 9.0F);
  const AffineParams params = ChooseInt8Params(-4, 5);
  std::vector<int8_t> levels(values.size());
  QuantizeInt8(values, params, absl::MakeSpan(levels));
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{values[i]} - double{params.scale} * (levels[i] - params.zero_point), 2);
  }
  const ClippingError found = MeasureClipping(Counted(values, -9, 9), params);
  EXPECT_NEAR(found.error, error / static_cast<double>(values.size()), 0.01 * found.error);
}

TEST(ClippingErrorTest, NothingCountedHasNoError) {
  const ClippingError found = MeasureClipping(Histogram(0, 1), {.scale = 1, .zero_point = 0});
  EXPECT_EQ(found.clipped_share, 0);
  EXPECT_EQ(found.error, 0);
}

}  // namespace
}  // namespace lathe::math
