#ifndef LATHE_OPTIMIZER_MATH_HISTOGRAM_H_
#define LATHE_OPTIMIZER_MATH_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace lathe::math {

// Counts of values in equal bins over a range that is known before. Counts are integers, so neither the order of values
// nor how they were shared among threads shows in the result.
class Histogram {
 public:
  static constexpr size_t kBins = 2048;

  // REQUIRES: lo < hi, both finite.
  Histogram(float lo, float hi);

  // Values outside the range count in the first or last bin; exact zeros, which quantization never moves, apart.
  // REQUIRES: no NaN.
  void Add(absl::Span<const float> values);
  // REQUIRES: other has the same range.
  void Merge(const Histogram& other);

  float lo() const { return lo_; }
  float hi() const { return hi_; }
  uint64_t count(size_t bin) const { return counts_[bin]; }
  uint64_t zeros() const { return counts_[kBins]; }
  uint64_t total() const;  // zeros and all others
  // The middle of a bin.
  double center(size_t bin) const { return lo_ + (static_cast<double>(bin) + 0.5) * (double{hi_} - lo_) / kBins; }

 private:
  float lo_, hi_;
  std::vector<uint64_t> counts_;  // kBins, and the zeros
};

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_HISTOGRAM_H_
