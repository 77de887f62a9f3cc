#include "optimizer/math/half_rounding.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/parallel.h"

namespace lathe::math {
namespace {

constexpr uint16_t kMagnitude = 0x7fff, kLargest = 0x7bff;  // 65504

// The next float16 above or below. REQUIRES: finite.
uint16_t Neighbour(uint16_t half, bool above) {
  if ((half & kMagnitude) == 0) return above ? 0x0001 : 0x8001;
  const bool negative = half > kMagnitude;
  return static_cast<uint16_t>(negative == above ? half - 1 : half + 1);
}

// Rounding a value to its other neighbour.
struct Flip {
  size_t index;
  uint16_t half;
  double change;  // of the sum of errors
  double cost;    // in squared error, for each unit of change
};

class ChannelRounding {
 public:
  ChannelRounding(absl::Span<const float> values, absl::Span<uint16_t> out) : values_(values), out_(out) {}

  void Add(size_t index) {
    const uint16_t half = out_[index];
    const double rounded = FloatOfFloat16(half), error = rounded - static_cast<double>(values_[index]);
    sum_ += error;
    // Exact, or clamped: there is no neighbour on the other side of the value.
    if (error == 0 || ((half & kMagnitude) == kLargest && std::fabs(values_[index]) > std::fabs(rounded))) return;
    const uint16_t other = Neighbour(half, error < 0);
    const double change = FloatOfFloat16(other) - rounded;
    flips_.push_back({index, other, change, std::fabs(change) - 2 * std::fabs(error)});
  }

  void Balance() {
    std::erase_if(flips_, [this](const Flip& flip) { return (flip.change > 0) == (sum_ > 0); });
    const auto cheaper = [](const Flip& a, const Flip& b) {
      return a.cost != b.cost ? a.cost < b.cost : a.index < b.index;
    };
    // The sum is some root of n steps: no more flips than a few times that are needed, and only those are sorted.
    const auto enough = 16 + 4 * static_cast<size_t>(std::sqrt(static_cast<double>(flips_.size())));
    if (flips_.size() > enough) {
      std::nth_element(flips_.begin(), flips_.begin() + static_cast<std::ptrdiff_t>(enough), flips_.end(), cheaper);
      flips_.resize(enough);
    }
    std::sort(flips_.begin(), flips_.end(), cheaper);
    for (const Flip& flip : flips_) {
      if (std::fabs(sum_ + flip.change) >= std::fabs(sum_)) continue;
      sum_ += flip.change;
      out_[flip.index] = flip.half;
    }
  }

 private:
  const absl::Span<const float> values_;
  const absl::Span<uint16_t> out_;
  double sum_ = 0;
  std::vector<Flip> flips_;
};

}  // namespace

void ToBalancedFloat16(absl::Span<const float> values, ChannelLayout layout, absl::Span<uint16_t> out) {
  ToFloat16(values, out);
  ParallelFor(static_cast<size_t>(layout.channels), [&](size_t channel) {
    ChannelRounding rounding(values, out);
    for (int64_t o = 0; o < layout.outer; ++o) {
      const auto first = static_cast<size_t>((o * layout.channels + static_cast<int64_t>(channel)) * layout.inner);
      for (size_t i = 0; i < static_cast<size_t>(layout.inner); ++i) rounding.Add(first + i);
    }
    rounding.Balance();
  });
}

}  // namespace lathe::math
