#include "runtime/latency_ratio.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace lathe {
namespace {

using ::testing::ElementsAre;

std::vector<BenchmarkRound> OneRunRounds(const std::vector<double>& ratios) {
  std::vector<BenchmarkRound> rounds;
  for (double ratio : ratios) rounds.push_back({{2}, {2 * ratio}});
  return rounds;
}

// What wilcox.test of R finds (conf.int, exact).
// With 8 values and 0.01 the interval is that of the smallest and largest value (2 / 2^8 = 0.0078).
TEST(CompareLatencyTest, FindsIntervalOfHodgesAndLehmann) {
  const std::vector<double> ratios = {1.01, 1.02, 1.04, 1.08, 1.16, 1.32, 1.64, 2.28};
  const LatencyRatio ratio = CompareLatency(OneRunRounds(ratios), 0.01);
  EXPECT_NEAR(ratio.low, 1.01, 1e-12);
  EXPECT_NEAR(ratio.high, 2.28, 1e-12);
  // The median of the 36 means of pairs of logarithms.
  std::vector<double> means;
  for (size_t i = 0; i < ratios.size(); ++i) {
    for (size_t j = i; j < ratios.size(); ++j) means.push_back(std::sqrt(ratios[i] * ratios[j]));
  }
  std::sort(means.begin(), means.end());
  EXPECT_NEAR(ratio.ratio, std::sqrt(means[17] * means[18]), 1e-12);
}

// Critical values of Wilcoxon's signed-rank sum, two-sided 1 %: 10 values 3, 20 values 37 (any printed table): so the
// fourth and the thirty-eighth Walsh average from either end bound the interval.
TEST(CompareLatencyTest, LeavesOutAsManyAveragesAsTheTablesSay) {
  for (const auto& [count, critical] : {std::pair<size_t, size_t>{10, 3}, std::pair<size_t, size_t>{20, 37}}) {
    std::vector<double> ratios;
    for (size_t i = 0; i < count; ++i) ratios.push_back(std::exp(std::ldexp(1, static_cast<int>(i)) * 1e-6));
    std::vector<double> means;
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = i; j < count; ++j) means.push_back(std::sqrt(ratios[i] * ratios[j]));
    }
    std::sort(means.begin(), means.end());
    const LatencyRatio ratio = CompareLatency(OneRunRounds(ratios), 0.01);
    EXPECT_NEAR(ratio.low, means[critical], 1e-9) << count;
    EXPECT_NEAR(ratio.high, means[means.size() - 1 - critical], 1e-9) << count;
  }
}

TEST(CompareLatencyTest, TakesStudentsIntervalOfFewRounds) {
  const LatencyRatio ratio = CompareLatency(OneRunRounds({std::exp(0.1), std::exp(0.2), std::exp(0.3)}), 0.01);
  EXPECT_NEAR(std::log(ratio.ratio), 0.2, 1e-12);
  EXPECT_NEAR(std::log(ratio.high), 0.2 + 9.925 * 0.1 / std::sqrt(3), 1e-9);
  EXPECT_EQ(CompareLatency(OneRunRounds({1.5}), 0.01).low, 0);
}

TEST(CompareLatencyTest, IgnoresDisturbedRuns) {
  std::vector<BenchmarkRound> rounds(10);
  for (size_t i = 0; i < rounds.size(); ++i) {
    rounds[i].first_ms = {1, 1, 1, 1};
    rounds[i].second_ms = {1, 1, 40, 30};
    if (i % 2 == 0) rounds[i].first_ms[2] = 25;
  }
  EXPECT_NEAR(CompareLatency(rounds, 0.01).ratio, 1, 1e-12);
}

// Times of a skewed distribution: of 1,000 comparisons of equal models at most 1 in 100 intervals may miss 1. With a
// standard error of 3 a count above 20 has a chance below 0.001.
TEST(CompareLatencyTest, MissesTheTruthAsSeldomAsPromised) {
  std::mt19937 random(1);
  std::exponential_distribution<double> noise(5);
  int missed = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<BenchmarkRound> rounds(12);
    for (BenchmarkRound& round : rounds) {
      for (int run = 0; run < 4; ++run) {
        round.first_ms.push_back(1 + noise(random));
        round.second_ms.push_back(1 + noise(random));
      }
    }
    const LatencyRatio ratio = CompareLatency(rounds, 0.01);
    missed += ratio.low > 1 || ratio.high < 1 ? 1 : 0;
  }
  EXPECT_LE(missed, 20);
}

TEST(RankTest, RanksOnlyBeyondTheMargin) {
  EXPECT_EQ(Rank({1.2, 1.04, 1.3}), LatencyRanking::kSlower);
  EXPECT_EQ(Rank({1.2, 1.02, 1.3}), LatencyRanking::kNoDifference);
  EXPECT_EQ(Rank({0.8, 0.7, 0.96}), LatencyRanking::kFaster);
  EXPECT_EQ(Rank({0.8, 0.7, 0.98}), LatencyRanking::kNoDifference);
  EXPECT_TRUE(IsSame({1, 0.98, 1.02}));
  EXPECT_FALSE(IsSame({1, 0.9, 1.02}));
  EXPECT_EQ(RankingText(LatencyRanking::kNoDifference), "no difference");
}

TEST(SplitIntoRoundsTest, KeepsNeighboursTogether) {
  const std::vector<double> first = {1, 2, 3, 4, 5}, second = {6, 7, 8, 9, 10};
  const auto rounds = SplitIntoRounds(first, second, 2);
  ASSERT_EQ(rounds.size(), 2u);
  EXPECT_THAT(rounds[0].first_ms, ElementsAre(1, 2));
  EXPECT_THAT(rounds[1].second_ms, ElementsAre(8, 9, 10));
  EXPECT_EQ(SplitIntoRounds(first, second, 10).size(), 5u);
}

}  // namespace
}  // namespace lathe
