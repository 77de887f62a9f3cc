#include "runtime/metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/parallel.h"
#include "runtime/metrics/sum_total.h"

namespace lathe {
namespace {

// The mean of 400 zeros and ones, of which one in `period` is wrong.
SumTotal Mean(size_t period) {
  std::vector<std::vector<double>> scores;
  for (size_t i = 0; i < 400; ++i) scores.push_back({i % period == 0 ? 0.0 : 1.0, 1});
  return SumTotal(std::move(scores), 2, [](absl::Span<const double> s) { return std::vector<double>{s[0] / s[1]}; });
}

TEST(BootstrapDifferenceTest, HasNoWidthForEqualScores) {
  const DifferenceInterval interval = BootstrapDifference(Mean(10), Mean(10), 0, 400, 0);
  EXPECT_EQ(interval.low, 0);
  EXPECT_EQ(interval.high, 0);
  EXPECT_EQ(interval.resamples, 1000u);
}

// 40 samples are lost of 400: the difference is -0.1 with standard error sqrt(.1 * .9 / 400) = .015.
TEST(BootstrapDifferenceTest, IsAsWideAsTheStandardErrorSays) {
  const SumTotal all = Mean(1000), fewer = Mean(10);
  const DifferenceInterval interval = BootstrapDifference(all, fewer, 0, 400, 1);
  EXPECT_NEAR(interval.low, -0.0975 - 1.96 * 0.0148, 0.004);
  EXPECT_NEAR(interval.high, -0.0975 + 1.96 * 0.0148, 0.004);
}

TEST(BootstrapDifferenceTest, GivesTheSameBitsForAnyThreadCountAndOthersForAnotherSeed) {
  const SumTotal a = Mean(7), b = Mean(11);
  const auto run = [&](int threads, uint64_t seed) {
    return WithThreads(threads, [&] { return BootstrapDifference(a, b, 0, 400, seed).low; });
  };
  EXPECT_EQ(run(1, 3), run(4, 3));
  EXPECT_NE(run(1, 3), run(1, 4));
}

TEST(BootstrapDifferenceTest, IsTheWholeLineWhereResamplesHaveNoFigure) {
  const SumTotal none(std::vector<std::vector<double>>(5, {0, 0}), 2,
                      [](absl::Span<const double> s) { return std::vector<double>{s[0] / s[1]}; });
  EXPECT_TRUE(std::isinf(BootstrapDifference(none, none, 0, 5, 0).low));
}

}  // namespace
}  // namespace lathe
