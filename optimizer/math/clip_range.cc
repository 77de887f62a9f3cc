#include "optimizer/math/clip_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lathe::math {
namespace {

// A clipped tail can stand in a bin that had nothing: infinitely surprising, so it gets a small share.
constexpr double kShareMin = 1e-7;

double Entropy(double count) { return count > 0 ? count * std::log(count) : 0; }

// Sums over the bins of a histogram before each bin.
struct BinSums {
  explicit BinSums(absl::Span<const double> counts) : bins(counts.size() + 1) {
    for (size_t i = 0; i < counts.size(); ++i) {
      bins[i + 1] = {bins[i].count + counts[i], bins[i].entropy + Entropy(counts[i]),
                     bins[i].filled + (counts[i] > 0 ? 1 : 0)};
    }
  }

  struct Bin {
    double count = 0, entropy = 0;  // of p, p log p
    size_t filled = 0;
  };
  std::vector<Bin> bins;
};

// Sum of P log(P / Q) over the first `kept` bins. P is their counts, the last of them with all that follow; in Q every
// group of bins gets one level: the group's sum without those, spread evenly over its bins that had something. Both are
// scaled to sum to 1. Q is constant in a level, so that sums of bins do and a logarithm a level.
double Divergence(absl::Span<const double> counts, const BinSums& sums, size_t kept, size_t levels) {
  const double p_sum = sums.bins.back().count, q_sum = sums.bins[kept].count;
  if (p_sum == 0 || q_sum == 0) return std::numeric_limits<double>::infinity();
  const double last = counts[kept - 1], tail = p_sum - q_sum;
  // Sums of p log p and of p log q, with p and q not scaled yet.
  double own = sums.bins[kept].entropy - Entropy(last) + Entropy(last + tail), other = 0;
  for (size_t level = 0; level < levels; ++level) {
    const BinSums::Bin& begin = sums.bins[level * kept / levels];
    const BinSums::Bin& end = sums.bins[(level + 1) * kept / levels];
    if (end.filled == begin.filled) continue;
    const double count = end.count - begin.count;
    const double share = count / static_cast<double>(end.filled - begin.filled) / q_sum;
    const bool takes_tail = level + 1 == levels && last > 0;
    other += (count + (takes_tail ? tail : 0)) * std::log(std::max(share, kShareMin));
  }
  if (last == 0) other += tail * std::log(kShareMin);
  return (own - other) / p_sum - std::log(p_sum);
}

}  // namespace

Distribution::Distribution(absl::Span<const Part> parts, ClipRange limit) {
  for (const Part& part : parts) {
    const Histogram& histogram = *part.histogram;
    whole_.lo = std::min(whole_.lo, std::max<double>(limit.lo, histogram.lo()));
    whole_.hi = std::max(whole_.hi, std::min<double>(limit.hi, histogram.hi()));
    zeros_ += part.weight * static_cast<double>(histogram.zeros());
    for (size_t bin = 0; bin < Histogram::kBins; ++bin) {
      const double value = histogram.center(bin);
      if (histogram.count(bin) == 0 || value < limit.lo || value > limit.hi) continue;
      points_.push_back({value, part.weight * static_cast<double>(histogram.count(bin))});
    }
  }
  std::stable_sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.value < b.value; });
  sums_.resize(points_.size() + 1);
  for (size_t i = 0; i < points_.size(); ++i) {
    const auto [value, weight] = points_[i];
    sums_[i + 1] = {sums_[i].weight + weight, sums_[i].first + weight * value,
                    sums_[i].second + weight * value * value};
  }
}

size_t Distribution::IndexOf(double value) const {
  const auto found = std::lower_bound(points_.begin(), points_.end(), value,
                                      [](const Point& point, double bound) { return point.value < bound; });
  return static_cast<size_t>(found - points_.begin());
}

double Distribution::ErrorOf(ClipRange range, int levels) const {
  const Sums& all = sums_.back();
  const Sums& low = sums_[IndexOf(range.lo)];
  const Sums& to_high = sums_[IndexOf(range.hi)];
  const Sums high = {all.weight - to_high.weight, all.first - to_high.first, all.second - to_high.second};
  const auto cut = [](const Sums& sums, double at) {
    return std::max(0.0, sums.second - 2 * at * sums.first + at * at * sums.weight);
  };
  const double step = (range.hi - range.lo) / levels;
  const double inside = all.weight - low.weight - high.weight;
  const double total = all.weight + zeros_;
  return total == 0 ? 0 : (cut(low, range.lo) + cut(high, range.hi) + inside * step * step / 12) / total;
}

ClipRange Distribution::Percentile(double share) const {
  if (points_.empty()) return whole_;
  const bool two_sided = points_.front().value < 0 && points_.back().value > 0;
  const double cut = (1 - share) * (sums_.back().weight + zeros_) / (two_sided ? 2 : 1);
  // The lowest point that more than `cut` lie at or below, and the highest that more lie at or above.
  const auto low = std::upper_bound(sums_.begin(), sums_.end(), cut,
                                    [](double value, const Sums& sums) { return value < sums.weight; });
  const auto high = std::lower_bound(sums_.begin(), sums_.end(), sums_.back().weight - cut,
                                     [](const Sums& sums, double value) { return sums.weight < value; });
  const auto point = [&](auto sums) {
    return points_[static_cast<size_t>(std::clamp<ptrdiff_t>(sums - sums_.begin() - 1, 0, std::ssize(points_) - 1))];
  };
  ClipRange range;
  if (points_.front().value < 0) range.lo = std::min(0.0, point(low).value);
  if (points_.back().value > 0) range.hi = std::max(0.0, point(high).value);
  return range;
}

ClipRange Distribution::BestOf(absl::Span<const double> lows, absl::Span<const double> highs, int levels) const {
  ClipRange best = whole_;
  double best_error = ErrorOf(whole_, levels);
  for (double low : lows) {
    for (double high : highs) {
      const double error = ErrorOf({low, high}, levels);
      if (error >= best_error) continue;
      best = {low, high};
      best_error = error;
    }
  }
  return best;
}

ClipRange Distribution::LeastError(int levels) const {
  // Steps of an eighth of an octave, then of an eightieth around the best.
  const auto ends = [](double from, double octaves, int steps) {
    if (from == 0) return std::vector<double>{0};
    std::vector<double> values;
    for (int i = 0; i <= steps; ++i) values.push_back(from * std::exp2(-octaves * i / steps));
    return values;
  };
  const ClipRange coarse = BestOf(ends(whole_.lo, 8, 64), ends(whole_.hi, 8, 64), levels);
  const auto around = [&](double at, double bound) {
    const double from = at * std::exp2(0.125);
    return ends(std::abs(from) < std::abs(bound) ? from : bound, 0.25, 20);
  };
  return BestOf(around(coarse.lo, whole_.lo), around(coarse.hi, whole_.hi), levels);
}

ClipRange Distribution::LeastDivergence(int levels) const {
  const double largest = std::max(-whole_.lo, whole_.hi);
  if (largest == 0) return whole_;
  std::vector<double> counts(Histogram::kBins, 0);
  for (const Point& point : points_) {
    const double bin = std::abs(point.value) / largest * static_cast<double>(Histogram::kBins);
    counts[std::min(static_cast<size_t>(bin), Histogram::kBins - 1)] += point.weight;
  }
  const BinSums sums(counts);
  const size_t half = static_cast<size_t>(levels + 1) / 2;
  double best_divergence = std::numeric_limits<double>::infinity();
  size_t best = Histogram::kBins;
  for (size_t kept = Histogram::kBins; kept >= half && kept <= Histogram::kBins; kept -= 16) {
    const double divergence = Divergence(counts, sums, kept, half);
    if (divergence >= best_divergence) continue;
    best_divergence = divergence;
    best = kept;
  }
  const double threshold = largest * static_cast<double>(best) / static_cast<double>(Histogram::kBins);
  return {std::max(whole_.lo, -threshold), std::min(whole_.hi, threshold)};
}

}  // namespace lathe::math
