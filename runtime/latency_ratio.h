#ifndef LATHE_RUNTIME_LATENCY_RATIO_H_
#define LATHE_RUNTIME_LATENCY_RATIO_H_

// Which of two models is faster, from run times taken in turn on a machine that does other things too. What makes run
// times misleading, and what is done about it (docs/decisions/0026):
//   * Drift: the clock rate or the load changes. Only times of one round are compared; both models run in each.
//   * Disturbed runs: another process takes a core; a run takes three times as long. A round counts by the lower
//     quartile of each model's times, which three disturbed runs of four do not move.
//   * Runs near in time are alike. Rounds are the unit of the statistic, not runs.
//   * Nothing is normally distributed. The interval is that of Hodges and Lehmann for the median of a symmetric
//     distribution (Wilcoxon's signed ranks): Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed.,
//     section 3.3.
//   * Where its memory happens to lie makes a copy of a model some per cent faster. Differences below kSameWithin are
//     none, and callers load the models anew for each round when that is cheap.

#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace lathe {

// Run times in milliseconds, both models in turn.
struct BenchmarkRound {
  std::vector<double> first_ms, second_ms;
};

// Time of the second model as a multiple of the first one's: below 1 it is faster.
struct LatencyRatio {
  double ratio = 1;
  double low = 1, high = 1;  // confidence interval
};

enum class LatencyRanking { kFaster, kSlower, kNoDifference };

// Ratios nearer to 1 than this, either way, are called no difference.
inline constexpr double kSameWithin = 0.03;

// The ratio and the interval that holds the true one but for a chance of `error`. With too few rounds for an interval
// without assumptions (2 * 2^-rounds > error; 8 are enough for 0.01) it is Student's for the logarithms of the ratios,
// and its error 0.01 whatever `error` says. One round: [0, infinity).
// REQUIRES: !rounds.empty(); no round is empty on either side; all times are positive.
LatencyRatio CompareLatency(absl::Span<const BenchmarkRound> rounds, double error);

// Of the second model: faster or slower when the whole interval is beyond kSameWithin.
LatencyRanking Rank(const LatencyRatio& ratio);
// The whole interval is within kSameWithin of 1: more rounds would rank nothing.
bool IsSame(const LatencyRatio& ratio);

// "faster", "slower", "no difference".
std::string_view RankingText(LatencyRanking ranking);

// Rounds of pairs that were measured one after the other: `rounds_max` of equal size but for one run, or fewer, so
// that runs of one round are neighbours. REQUIRES: equal sizes, not empty.
std::vector<BenchmarkRound> SplitIntoRounds(absl::Span<const double> first_ms, absl::Span<const double> second_ms,
                                            size_t rounds_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_LATENCY_RATIO_H_
