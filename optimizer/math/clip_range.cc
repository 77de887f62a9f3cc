#include "optimizer/math/clip_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lathe::math {
namespace {

// Sum of p * log(p / q) between two sets of counts, each scaled to sum to 1.
double Divergence(const std::vector<double>& p, const std::vector<double>& q) {
  double p_sum = 0, q_sum = 0;
  for (size_t i = 0; i < p.size(); ++i) p_sum += p[i], q_sum += q[i];
  if (p_sum == 0 || q_sum == 0) return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    // A clipped tail can stand in a bin that had nothing: infinitely surprising, so it gets a small share.
    if (p[i] > 0) sum += p[i] / p_sum * std::log((p[i] / p_sum) / std::max(q[i] / q_sum, 1e-7));
  }
  return sum;
}

// What is left of `counts` when every group of bins gets one level: each level's sum, spread evenly over the bins of
// the group that had something.
std::vector<double> Quantized(absl::Span<const double> counts, size_t levels) {
  std::vector<double> quantized(counts.size(), 0);
  for (size_t level = 0; level < levels; ++level) {
    const size_t begin = level * counts.size() / levels, end = (level + 1) * counts.size() / levels;
    double sum = 0;
    size_t filled = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += counts[i];
      if (counts[i] > 0) ++filled;
    }
    for (size_t i = begin; i < end; ++i) quantized[i] = counts[i] > 0 ? sum / static_cast<double>(filled) : 0;
  }
  return quantized;
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
  const size_t half = static_cast<size_t>(levels + 1) / 2;
  double best_divergence = std::numeric_limits<double>::infinity();
  size_t best = Histogram::kBins;
  for (size_t kept = Histogram::kBins; kept >= half && kept <= Histogram::kBins; kept -= 16) {
    std::vector<double> clipped(counts.begin(), counts.begin() + static_cast<ptrdiff_t>(kept));
    const std::vector<double> quantized = Quantized(clipped, half);
    for (size_t i = kept; i < counts.size(); ++i) clipped.back() += counts[i];
    const double divergence = Divergence(clipped, quantized);
    if (divergence >= best_divergence) continue;
    best_divergence = divergence;
    best = kept;
  }
  const double threshold = largest * static_cast<double>(best) / static_cast<double>(Histogram::kBins);
  return {std::max(whole_.lo, -threshold), std::min(whole_.hi, threshold)};
}

}  // namespace lathe::math
