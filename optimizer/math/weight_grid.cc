#include "optimizer/math/weight_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/parallel.h"

namespace lathe::math {
namespace {

// Largest distance from a whole number of steps at which it pays to look closer. Rounding scale * level and largest / k
// to float moves a quotient of at most 127 by at most 127 * 3 * 2^-24 = 2.3e-5.
constexpr float kOffGridMax = 1e-4f;

// A channel of fewer weights lies on some grid by chance.
constexpr size_t kValuesMin = 8;

// Most channels are done with after a value for each number of steps, which is too little for a task.
constexpr size_t kChannelsAtOnce = 32;

// Half to even, as std::nearbyint, which is a call on processors without SSE4.1. REQUIRES: |value| < 2^22.
float Round(float value) {
  constexpr float kShift = 0x1.8p23f;
  return (value + kShift) - kShift;
}

// One channel's values, wherever they lie.
struct Channel {
  const float* data;
  size_t outer, stride, inner;

  template <typename Test>
  bool All(const Test& test) const {
    for (size_t o = 0; o < outer; ++o) {
      for (size_t i = 0; i < inner; ++i) {
        if (!test(data[o * stride + i])) return false;
      }
    }
    return true;
  }
};

// The scale within two places of `step` whose products with whole numbers are the channel's values to the bit; 0 when
// there is none.
float ExactStep(const Channel& channel, float step) {
  constexpr float kUp = std::numeric_limits<float>::max();
  const float down = std::nextafter(step, 0.0f), up = std::nextafter(step, kUp);
  for (float candidate : {step, down, up, std::nextafter(down, 0.0f), std::nextafter(up, kUp)}) {
    if (channel.All([&](float value) { return Round(value / candidate) * candidate == value; })) {
      return candidate;
    }
  }
  return 0;
}

// 0: the values lie on no grid of at most `levels` steps below `largest`.
float FindStep(const Channel& channel, int levels, float largest) {
  for (int k = levels; k > 0; --k) {
    const float step = largest / static_cast<float>(k), per_value = static_cast<float>(k) / largest;
    if (!std::isnormal(step) || !std::isfinite(per_value)) continue;
    const auto near_grid = [&](float value) {
      const float multiple = value * per_value;
      return std::fabs(multiple - Round(multiple)) <= kOffGridMax;
    };
    if (!channel.All(near_grid)) continue;
    if (const float exact = ExactStep(channel, step); exact > 0) return exact;
  }
  return 0;
}

}  // namespace

void KeepGrids(absl::Span<const float> weights, ChannelLayout layout, int levels, absl::Span<float> scales) {
  const auto outer = static_cast<size_t>(layout.outer), channels = static_cast<size_t>(layout.channels),
             inner = static_cast<size_t>(layout.inner);
  if (outer * inner < kValuesMin) return;
  ParallelForRanges(channels, kChannelsAtOnce, [&](size_t begin, size_t end) {
    for (size_t c = begin; c < end; ++c) {
      const Channel channel{weights.data() + c * inner, outer, channels * inner, inner};
      const float step = FindStep(channel, levels, scales[c] * static_cast<float>(levels));
      if (step > 0) scales[c] = step;
    }
  });
}

}  // namespace lathe::math
