#include "optimizer/math/histogram.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lathe::math {
namespace {

TEST(HistogramTest, CountsWhatAPlainLoopCounts) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(10000);
  for (float& value : values) value = normal(random);
  for (size_t i = 0; i < 500; ++i) values[i * 20] = 0;
  Histogram histogram(-3, 5);
  histogram.Add(values);
  std::vector<uint64_t> expected(Histogram::kBins, 0);
  for (float value : values) {
    if (value == 0) continue;
    const double bin = (double{value} + 3) / 8 * 2048;
    ++expected[bin < 0 ? 0 : bin >= 2047 ? 2047 : static_cast<size_t>(bin)];
  }
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) EXPECT_EQ(histogram.count(bin), expected[bin]) << bin;
  EXPECT_EQ(histogram.zeros(), 500u);
  EXPECT_EQ(histogram.total(), 10000u);
  EXPECT_DOUBLE_EQ(histogram.center(0), -3 + 8.0 / 2048 / 2);
}

TEST(HistogramTest, MergesToTheSameAsOne) {
  const std::vector<float> a = {0, 1, 2, -1}, b = {0.5f, 2, 0};
  Histogram both(-1, 2), first(-1, 2), second(-1, 2);
  both.Add(a);
  both.Add(b);
  first.Add(b);
  second.Add(a);
  first.Merge(second);
  EXPECT_EQ(first.total(), 7u);
  EXPECT_EQ(first.zeros(), both.zeros());
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) EXPECT_EQ(first.count(bin), both.count(bin));
}

// Ranges at the ends of what a float holds.
TEST(HistogramTest, TakesAnyRange) {
  for (const auto& [lo, hi] : std::vector<std::pair<float, float>>{{-3e38f, 3e38f}, {0, 1e-45f}, {1e-38f, 1.1e-38f}}) {
    Histogram histogram(lo, hi);
    histogram.Add(std::vector<float>{lo, hi});
    EXPECT_EQ(histogram.total(), 2u);
    EXPECT_EQ(histogram.count(Histogram::kBins - 1), 1u);
  }
}

}  // namespace
}  // namespace lathe::math
