#include "optimizer/passes/weight_deviation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "common/parallel.h"
#include "optimizer/math/weight_error.h"

namespace lathe {
namespace {

constexpr double kNaturalRms = 6;
constexpr double kLargestShare = 0.01;

double HighestLevel(const StoredConstant& stored) {
  return stored.type == TensorType::kUint8 ? 127.5 : std::ldexp(1, TypeBits(stored.type) - 1) - 1;
}

// t of the header, without the clip of least error. Sorts `magnitudes`.
double NaturalRange(std::vector<float>& magnitudes) {
  std::sort(magnitudes.begin(), magnitudes.end());
  const auto left_out = static_cast<size_t>(std::ceil(kLargestShare * static_cast<double>(magnitudes.size())));
  const size_t kept = magnitudes.size() - std::max<size_t>(left_out, 1);
  const double largest = double{magnitudes.back()};
  if (kept == 0) return largest;
  double squares = 0;
  for (size_t i = 0; i < kept; ++i) squares += double{magnitudes[i]} * double{magnitudes[i]};
  const double natural = kNaturalRms * std::sqrt(squares / static_cast<double>(kept));
  return natural > 0 ? std::min(largest, natural) : largest;
}

// The weights of one output channel that share a scale.
struct Group {
  std::vector<float> values;
  double clipped = 0, rounded = 0;  // sums of e^2
};

// What a group's error is due to its range. `natural`: t.
double RangeError(Group& group, double natural, double scale, double highest, int bits) {
  if (group.rounded == 0 || scale <= 0) return group.clipped;
  double natural_scale = natural / highest;
  if (bits < 8) {
    const math::ChannelLayout one = {1, 1, static_cast<int64_t>(group.values.size())};
    float least = 1;
    if (math::ChooseWeightScales(group.values, one, absl::MakeSpan(&least, 1), bits).ok()) {
      math::LowerScalesToLeastError(group.values, one, bits, absl::MakeSpan(&least, 1));
      natural_scale = std::min(natural_scale, double{least});
    }
  }
  const double ratio = std::min(natural_scale / scale, 1.0);
  return group.clipped + (1 - ratio * ratio) * group.rounded;
}

double NaturalRangeOf(const std::vector<float>& values) {
  std::vector<float> magnitudes(values.size());
  std::transform(values.begin(), values.end(), magnitudes.begin(), [](float v) { return std::abs(v); });
  return NaturalRange(magnitudes);
}

WeightDeviation DeviationOfChannel(absl::Span<const float> weights, const StoredConstant& stored,
                                   const math::ChannelLayout& layout, size_t channel) {
  std::map<size_t, Group> groups;
  const auto inner = static_cast<size_t>(layout.inner), channels = static_cast<size_t>(layout.channels);
  for (size_t outer = 0; outer < static_cast<size_t>(layout.outer); ++outer) {
    for (size_t i = (outer * channels + channel) * inner; i < (outer * channels + channel + 1) * inner; ++i) {
      const size_t at = stored.scales.empty() ? 0 : stored.ScaleIndex(i);
      Group& group = groups[at];
      const double half = stored.scales.empty() ? 0 : double{stored.scales[at]} / 2;
      const StoredConstant::Limits limits = stored.LimitsOf(at);
      const double w = double{weights[i]}, e = double{stored.values[i]} - w;
      (w < limits.low - half || w > limits.high + half ? group.clipped : group.rounded) += e * e;
      group.values.push_back(weights[i]);
    }
  }
  WeightDeviation deviation;
  double range = 0, all = 0, power = 0, ordinary = 0;
  for (auto& [at, group] : groups) {
    all += group.clipped + group.rounded;
    if (stored.scales.empty()) {
      range += group.clipped;
      continue;
    }
    const double natural = NaturalRangeOf(group.values);
    range += RangeError(group, natural, double{stored.scales[at]}, HighestLevel(stored), TypeBits(stored.type));
    for (float value : group.values) {
      const double magnitude = std::abs(double{value}), clipped = std::min(magnitude, natural);
      power += magnitude * magnitude;
      ordinary += clipped * clipped;
    }
  }
  if (all > 0) deviation.range_share = range / all;
  if (power > 0) deviation.ordinary_power = ordinary / power;
  return deviation;
}

// The factor of one channel, 1 when no weight tells; `sure`: it is not 1 by rounding alone.
struct Factor {
  float value = 1;
  bool sure = false;
};

Factor FactorOfChannel(absl::Span<const float> weights, const StoredConstant& stored, const math::ChannelLayout& layout,
                       size_t channel) {
  // Levels that rounding moves by an eighth of their value at most, and never the outermost, which may be clipped.
  const double few_levels = stored.scales.empty() ? 0 : TypeBits(stored.type) < 8 ? 2 : 8;
  std::vector<double> ratios;
  double noise = 0;
  double largest = 0, ratio_of_largest = 0, noise_of_largest = 0;
  const auto inner = static_cast<size_t>(layout.inner), channels = static_cast<size_t>(layout.channels);
  for (size_t outer = 0; outer < static_cast<size_t>(layout.outer); ++outer) {
    for (size_t i = (outer * channels + channel) * inner; i < (outer * channels + channel + 1) * inner; ++i) {
      const double w = double{weights[i]}, q = double{stored.values[i]};
      if (w == 0 || q == 0) continue;
      const double scale = stored.scales.empty() ? 0 : double{stored.scales[stored.ScaleIndex(i)]};
      if (std::abs(q) > largest) {
        largest = std::abs(q);
        ratio_of_largest = q / w;
        noise_of_largest = scale / largest;
      }
      if (!stored.scales.empty()) {
        if (std::abs(q) < few_levels * scale || std::abs(q) > (HighestLevel(stored) - 0.5) * scale) continue;
        noise += scale / std::abs(q);
      }
      ratios.push_back(q / w);
    }
  }
  Factor factor;
  if (ratios.size() < 4) {  // an outlier leaves the others no levels: it has not been clipped, and tells
    ratios = {ratio_of_largest};
    noise = noise_of_largest;
  }
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2), ratios.end());
  const double median = ratios[ratios.size() / 2];
  if (median <= 0) return factor;
  factor.value = static_cast<float>(median);
  // The median of n values of which each is off by up to half a level: 3 standard errors.
  const auto count = static_cast<double>(ratios.size());
  const double tolerance = 0.01 + 3 * 1.25 * (noise / count) / std::sqrt(12 * count);
  factor.sure = std::abs(std::log(median)) > tolerance;
  return factor;
}

}  // namespace

std::vector<WeightDeviation> FindWeightDeviations(absl::Span<const float> weights, const StoredConstant& stored,
                                                  math::ChannelLayout layout) {
  std::vector<WeightDeviation> channels(static_cast<size_t>(layout.channels));
  ParallelFor(channels.size(), [&](size_t c) { channels[c] = DeviationOfChannel(weights, stored, layout, c); });
  return channels;
}

std::vector<float> FindChannelFactors(absl::Span<const float> weights, const StoredConstant& stored,
                                      math::ChannelLayout layout) {
  std::vector<Factor> factors(static_cast<size_t>(layout.channels));
  ParallelFor(factors.size(), [&](size_t c) { factors[c] = FactorOfChannel(weights, stored, layout, c); });
  const auto sure = std::count_if(factors.begin(), factors.end(), [](const Factor& factor) { return factor.sure; });
  if (static_cast<size_t>(sure) * 4 < factors.size() || sure == 0) return {};
  std::vector<float> values;
  for (const Factor& factor : factors) values.push_back(factor.value);
  return values;
}

}  // namespace lathe
