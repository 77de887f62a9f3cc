#include "runtime/latency_ratio.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lathe {
namespace {

// Two-sided 1 % points of Student's distribution for 1 .. 6 degrees of freedom.
constexpr double kStudent[] = {63.657, 9.925, 5.841, 4.604, 4.032, 3.707};

double LowerQuartile(std::vector<double> values) {
  const auto at = values.begin() + static_cast<ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Means of all pairs of values, each with itself too, sorted.
std::vector<double> WalshAverages(absl::Span<const double> values) {
  std::vector<double> means;
  means.reserve(values.size() * (values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i; j < values.size(); ++j) means.push_back((values[i] + values[j]) / 2);
  }
  std::sort(means.begin(), means.end());
  return means;
}

// How many of the sorted Walsh averages lie outside the interval on either side: the largest `outside` for which the
// signed-rank sum of `count` values is below it with a probability of at most error / 2. -1: there is no such interval.
int AveragesOutside(size_t count, double error) {
  const size_t sum_max = count * (count + 1) / 2;
  // ways[s]: share of the 2^count sets of ranks whose sum is s.
  std::vector<double> ways(sum_max + 1, 0);
  ways[0] = 1;
  for (size_t rank = 1; rank <= count; ++rank) {
    for (size_t sum = sum_max + 1; sum-- > 0;) {
      ways[sum] = (ways[sum] + (sum >= rank ? ways[sum - rank] : 0)) / 2;
    }
  }
  double below = 0;
  int outside = -1;
  for (size_t sum = 0; sum <= sum_max; ++sum) {
    below += ways[sum];
    if (below > error / 2) break;
    ++outside;
  }
  return outside;
}

LatencyRatio StudentInterval(absl::Span<const double> logs) {
  const auto count = static_cast<double>(logs.size());
  double mean = 0, squares = 0;
  for (double value : logs) mean += value / count;
  if (logs.size() < 2) return {std::exp(mean), 0, std::numeric_limits<double>::infinity()};
  for (double value : logs) squares += (value - mean) * (value - mean);
  const size_t freedom = std::min(logs.size() - 1, std::size(kStudent));
  const double half = kStudent[freedom - 1] * std::sqrt(squares / (count - 1) / count);
  return {std::exp(mean), std::exp(mean - half), std::exp(mean + half)};
}

}  // namespace

LatencyRatio CompareLatency(absl::Span<const BenchmarkRound> rounds, double error) {
  std::vector<double> logs;
  logs.reserve(rounds.size());
  for (const BenchmarkRound& round : rounds) {
    logs.push_back(std::log(LowerQuartile(round.second_ms) / LowerQuartile(round.first_ms)));
  }
  const int outside = AveragesOutside(logs.size(), error);
  if (outside < 0) return StudentInterval(logs);
  const std::vector<double> means = WalshAverages(logs);
  const size_t count = means.size(), low = static_cast<size_t>(outside);
  const double middle = (means[(count - 1) / 2] + means[count / 2]) / 2;
  return {std::exp(middle), std::exp(means[low]), std::exp(means[count - 1 - low])};
}

LatencyRanking Rank(const LatencyRatio& ratio) {
  if (ratio.low > 1 + kSameWithin) return LatencyRanking::kSlower;
  if (ratio.high < 1 / (1 + kSameWithin)) return LatencyRanking::kFaster;
  return LatencyRanking::kNoDifference;
}

bool IsSame(const LatencyRatio& ratio) { return ratio.low >= 1 / (1 + kSameWithin) && ratio.high <= 1 + kSameWithin; }

std::string_view RankingText(LatencyRanking ranking) {
  switch (ranking) {
    case LatencyRanking::kFaster:
      return "faster";
    case LatencyRanking::kSlower:
      return "slower";
    case LatencyRanking::kNoDifference:
      break;
  }
  return "no difference";
}

std::vector<BenchmarkRound> SplitIntoRounds(absl::Span<const double> first_ms, absl::Span<const double> second_ms,
                                            size_t rounds_max) {
  const size_t pairs = first_ms.size(), count = std::min(pairs, std::max<size_t>(rounds_max, 1));
  std::vector<BenchmarkRound> rounds(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * pairs / count, end = (i + 1) * pairs / count;
    rounds[i].first_ms.assign(first_ms.begin() + static_cast<ptrdiff_t>(begin),
                              first_ms.begin() + static_cast<ptrdiff_t>(end));
    rounds[i].second_ms.assign(second_ms.begin() + static_cast<ptrdiff_t>(begin),
                               second_ms.begin() + static_cast<ptrdiff_t>(end));
  }
  return rounds;
}

}  // namespace lathe
