#include "runtime/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "common/parallel.h"

namespace lathe {
namespace {

constexpr uint64_t kResamplesMax = 1000, kResamplesMin = 200;
constexpr size_t kDefinedMin = 100;
// Steps of all resamples together, about a second of one core.
constexpr uint64_t kStepsMax = 1'000'000'000;
constexpr double kTail = 0.025;  // on each side

// How often each sample is drawn in resample number `resample`.
std::vector<uint32_t> Draw(size_t samples, uint64_t seed, uint64_t resample) {
  std::seed_seq sequence{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32),
                         static_cast<uint32_t>(resample)};
  std::mt19937_64 generator(sequence);
  std::vector<uint32_t> weights(samples, 0);
  for (size_t i = 0; i < samples; ++i) {
    // The remainder's bias is samples / 2^64. std::uniform_int_distribution would differ between libraries.
    ++weights[generator() % samples];
  }
  return weights;
}

}  // namespace

DifferenceInterval BootstrapDifference(const MetricTotal& input, const MetricTotal& output, size_t figure,
                                       size_t samples, uint64_t seed) {
  const uint64_t steps = std::max<uint64_t>(1, input.cost() + output.cost() + 4 * samples);
  const uint64_t resamples = std::clamp(kStepsMax / steps, kResamplesMin, kResamplesMax);
  std::vector<double> differences(resamples);
  ParallelFor(resamples, [&](size_t i) {
    const std::vector<uint32_t> weights = Draw(samples, seed, i);
    differences[i] = output.Figures(weights)[figure] - input.Figures(weights)[figure];
  });
  differences.erase(std::remove_if(differences.begin(), differences.end(), [](double d) { return !std::isfinite(d); }),
                    differences.end());
  DifferenceInterval interval;
  interval.resamples = static_cast<uint32_t>(differences.size());
  interval.low = -std::numeric_limits<double>::infinity();
  interval.high = std::numeric_limits<double>::infinity();
  if (differences.size() < kDefinedMin) return interval;
  std::sort(differences.begin(), differences.end());
  const auto at = [&](double share) {  // linear between neighbours, as numpy.percentile
    const double place = share * static_cast<double>(differences.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, differences.size() - 1);
    return differences[below] + (place - static_cast<double>(below)) * (differences[above] - differences[below]);
  };
  interval.low = at(kTail);
  interval.high = at(1 - kTail);
  return interval;
}

}  // namespace lathe
