#include "optimizer/math/weight_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/parallel.h"

namespace lathe::math {
namespace {

constexpr size_t kGrain = size_t{1} << 14;        // weights a task searches; a search reads each some forty times
constexpr size_t kLanes = 8;                      // independent sums, so that the loops become vector code
constexpr size_t kFlush = 1024;                   // after so many weights the float sums go to double
constexpr int kCoarseSteps = 10, kCoarseMin = 3;  // fractions 1.0 down to 0.3
constexpr float kFineStep = 0.025f;
constexpr int kOctavSteps = 10;
constexpr double kSqnrMax = 200;

// Adding and taking away 1.5 * 2^23 leaves a float of magnitude below 2^22 rounded half to even, in two instructions.
constexpr float kRounder = 12582912.0f;

float Error(float weight, float scale, float inverse, float lowest, float highest) {
  const float clamped = std::min(std::max(weight * inverse, lowest), highest);
  const float error = weight - scale * ((clamped + kRounder) - kRounder);
  return error * error;
}

struct Outside {
  double sum = 0;  // of |w| above the clip
  double count = 0;
};

Outside SumOutside(absl::Span<const float> weights, float clip) {
  Outside outside;
  for (size_t start = 0; start < weights.size(); start += kFlush) {
    float sums[kLanes] = {}, counts[kLanes] = {};
    const auto add = [&](size_t lane, float weight) {
      const float magnitude = std::fabs(weight);
      sums[lane] += magnitude > clip ? magnitude : 0.0f;
      counts[lane] += magnitude > clip ? 1.0f : 0.0f;
    };
    const size_t end = std::min(weights.size(), start + kFlush), whole = start + (end - start) / kLanes * kLanes;
    for (size_t i = start; i < whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) add(lane, weights[i + lane]);
    }
    for (size_t i = whole; i < end; ++i) add(i - whole, weights[i]);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      outside.sum += sums[lane];
      outside.count += counts[lane];
    }
  }
  return outside;
}

// The clip t that solves t = sum_{|w|>t} |w| / (k #{|w|<=t} + #{|w|>t}), k = 1 / (12 levels^2): where the derivative of
// k t^2 #{|w|<=t} + sum_{|w|>t} (|w| - t)^2 is 0.
float OctavClip(absl::Span<const float> weights, float clip, int bits) {
  const double levels = HighestLevel(bits), rounding = 1 / (12 * levels * levels);
  for (int step = 0; step < kOctavSteps; ++step) {
    const Outside outside = SumOutside(weights, clip);
    const double inside = static_cast<double>(weights.size()) - outside.count;
    const auto next = static_cast<float>(outside.sum / (rounding * inside + outside.count));
    if (outside.count == 0 || !std::isnormal(next)) break;
    clip = next;
  }
  return clip;
}

float LeastErrorScale(absl::Span<const float> weights, float largest, int bits) {
  float best = largest;
  double least = SquaredError(weights, largest, bits);
  const auto try_scale = [&](float scale) {
    if (!std::isnormal(scale) || scale >= largest) return;
    const double error = SquaredError(weights, scale, bits);
    if (error >= least) return;
    least = error;
    best = scale;
  };
  int coarse = kCoarseSteps;
  for (int step = kCoarseSteps - 1; step >= kCoarseMin; --step) {
    const float before = best;
    try_scale(largest * static_cast<float>(step) / kCoarseSteps);
    if (best != before) coarse = step;
  }
  for (int fine = -3; fine <= 3; ++fine) {
    if (fine != 0)
      try_scale(largest * (static_cast<float>(coarse) / kCoarseSteps + kFineStep * static_cast<float>(fine)));
  }
  if (coarse > kCoarseMin) return best;
  const auto levels = static_cast<float>(HighestLevel(bits));
  try_scale(OctavClip(weights, best * levels, bits) / levels);
  return best;
}

// One channel in one piece: a view where the layout allows, else copied to `scratch`.
absl::Span<const float> Channel(absl::Span<const float> weights, ChannelLayout layout, size_t channel,
                                std::vector<float>& scratch) {
  const auto channels = static_cast<size_t>(layout.channels), inner = static_cast<size_t>(layout.inner);
  if (layout.outer == 1) return weights.subspan(channel * inner, inner);
  scratch.resize(static_cast<size_t>(layout.outer) * inner);
  for (size_t o = 0; o < static_cast<size_t>(layout.outer); ++o) {
    std::copy_n(weights.begin() + static_cast<ptrdiff_t>((o * channels + channel) * inner), inner,
                scratch.begin() + static_cast<ptrdiff_t>(o * inner));
  }
  return scratch;
}

struct Move {
  float gain;  // how far beyond its weight the level lies, in steps
  size_t place;
  bool operator<(const Move& other) const { return gain != other.gain ? gain > other.gain : place < other.place; }
};

// Sum of level - weight / scale over a row.
double RowExcess(const float* weights, const int8_t* levels, size_t count, float inverse) {
  double total = 0;
  for (size_t start = 0; start < count; start += kFlush) {
    float sums[kLanes] = {};
    const size_t end = std::min(count, start + kFlush), whole = start + (end - start) / kLanes * kLanes;
    for (size_t i = start; i < whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += static_cast<float>(levels[i + lane]) - weights[i + lane] * inverse;
      }
    }
    for (size_t i = whole; i < end; ++i) sums[i - whole] += static_cast<float>(levels[i]) - weights[i] * inverse;
    for (float sum : sums) total += sum;
  }
  return total;
}

class ChannelBalance {
 public:
  ChannelBalance(absl::Span<const float> weights, ChannelLayout layout, int bits, absl::Span<int8_t> levels)
      : weights_(weights),
        levels_(levels),
        outer_(static_cast<size_t>(layout.outer)),
        channels_(static_cast<size_t>(layout.channels)),
        inner_(static_cast<size_t>(layout.inner)),
        lowest_(LowestLevel(bits)),
        highest_(HighestLevel(bits)) {}

  void Run(size_t channel, float scale) {
    const float inverse = 1 / scale;
    double excess = 0;
    for (size_t o = 0; o < outer_; ++o) {
      const size_t row = Row(o, channel);
      excess += RowExcess(weights_.data() + row, levels_.data() + row, inner_, inverse);
    }
    const auto wanted = static_cast<size_t>(std::nearbyint(std::fabs(excess)));
    if (wanted == 0) return;
    const int direction = excess > 0 ? 1 : -1;
    // Gains of rounded weights are even between -0.5 and 0.5, so that this many times the wanted lie above the bound.
    const auto weights = static_cast<float>(outer_ * inner_);
    Collect(channel, inverse, direction, 0.5f - 4 * static_cast<float>(wanted) / weights);
    if (moves_.size() < wanted) Collect(channel, inverse, direction, 0);
    const size_t count = std::min(moves_.size(), wanted);
    std::partial_sort(moves_.begin(), moves_.begin() + static_cast<ptrdiff_t>(count), moves_.end());
    for (size_t i = 0; i < count; ++i) {
      levels_[moves_[i].place] = static_cast<int8_t>(levels_[moves_[i].place] - direction);
    }
  }

 private:
  size_t Row(size_t o, size_t channel) const { return (o * channels_ + channel) * inner_; }

  // The moves against `direction` that gain more than `bound`.
  void Collect(size_t channel, float inverse, int direction, float bound) {
    moves_.clear();
    const float least = std::max(bound, 0.0f);
    for (size_t o = 0; o < outer_; ++o) {
      const size_t row = Row(o, channel);
      for (size_t place = row; place < row + inner_; ++place) {
        const float excess = static_cast<float>(levels_[place]) - weights_[place] * inverse;
        const float gain = static_cast<float>(direction) * excess;
        const int moved = levels_[place] - direction;
        if (gain > least && moved >= lowest_ && moved <= highest_) moves_.push_back({gain, place});
      }
    }
  }

  const absl::Span<const float> weights_;
  const absl::Span<int8_t> levels_;
  const size_t outer_, channels_, inner_;
  const int lowest_, highest_;
  std::vector<Move> moves_;
};

// NaN for a row without detail.
double RowSqnrDb(absl::Span<const float> entries, double step) {
  const auto count = static_cast<double>(entries.size());
  double mean = 0, distance = 0, error = 0;
  for (float entry : entries) mean += entry / count;
  for (float entry : entries) {
    const double wrong = entry - step * std::nearbyint(entry / step);
    distance += std::fabs(entry - mean) / count;
    error += wrong * wrong / count;
  }
  if (distance == 0) return std::numeric_limits<double>::quiet_NaN();
  return error == 0 ? kSqnrMax : std::min(kSqnrMax, 10 * std::log10(distance * distance / error));
}

}  // namespace

double SquaredError(absl::Span<const float> weights, float scale, int bits) {
  const auto lowest = static_cast<float>(LowestLevel(bits)), highest = static_cast<float>(HighestLevel(bits));
  const float inverse = 1 / scale;
  double total = 0;
  for (size_t start = 0; start < weights.size(); start += kFlush) {
    float sums[kLanes] = {};
    const size_t end = std::min(weights.size(), start + kFlush), whole = start + (end - start) / kLanes * kLanes;
    for (size_t i = start; i < whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += Error(weights[i + lane], scale, inverse, lowest, highest);
      }
    }
    for (size_t i = whole; i < end; ++i) sums[i - whole] += Error(weights[i], scale, inverse, lowest, highest);
    for (float sum : sums) total += sum;
  }
  return total;
}

void LowerScalesToLeastError(absl::Span<const float> weights, ChannelLayout layout, int bits,
                             absl::Span<float> scales) {
  if (bits == 8) return;
  const size_t size = std::max<size_t>(1, static_cast<size_t>(layout.outer * layout.inner));
  ParallelForRanges(scales.size(), std::max<size_t>(1, kGrain / size), [&](size_t begin, size_t end) {
    std::vector<float> scratch;
    for (size_t c = begin; c < end; ++c) {
      scales[c] = LeastErrorScale(Channel(weights, layout, c, scratch), scales[c], bits);
    }
  });
}

void BalanceRounding(absl::Span<const float> weights, ChannelLayout layout, absl::Span<const float> scales, int bits,
                     absl::Span<int8_t> levels) {
  const size_t size = std::max<size_t>(1, static_cast<size_t>(layout.outer * layout.inner));
  ParallelForRanges(scales.size(), std::max<size_t>(1, kGrain / size), [&](size_t begin, size_t end) {
    ChannelBalance balance(weights, layout, bits, levels);
    for (size_t c = begin; c < end; ++c) balance.Run(c, scales[c]);
  });
}

double DetailSqnrDb(absl::Span<const float> values, size_t row, absl::Span<const float> steps) {
  const size_t rows = values.size() / row;
  std::vector<double> kept(rows);
  ParallelForRanges(rows, std::max<size_t>(1, kGrain / row), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      kept[r] = RowSqnrDb(values.subspan(r * row, row), steps[steps.size() == 1 ? 0 : r]);
    }
  });
  std::erase_if(kept, [](double db) { return !std::isfinite(db); });
  if (kept.empty()) return kSqnrMax;
  const auto quarter = kept.begin() + static_cast<ptrdiff_t>(kept.size() / 4);
  std::nth_element(kept.begin(), quarter, kept.end());
  return *quarter;
}

}  // namespace lathe::math
