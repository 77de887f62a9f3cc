#include "optimizer/math/histogram.h"

#include <algorithm>
#include <numeric>

namespace lathe::math {

Histogram::Histogram(float lo, float hi) : lo_(lo), hi_(hi), counts_(kBins + 1, 0) {}

void Histogram::Add(absl::Span<const float> values) {
  const double bins_per_unit = kBins / (double{hi_} - lo_);
  for (float value : values) {
    const double bin = std::clamp((double{value} - lo_) * bins_per_unit, 0.0, static_cast<double>(kBins - 1));
    ++counts_[value == 0 ? kBins : static_cast<size_t>(bin)];
  }
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i <= kBins; ++i) counts_[i] += other.counts_[i];
}

uint64_t Histogram::total() const { return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}); }

}  // namespace lathe::math
