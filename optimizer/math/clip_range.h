#ifndef LATHE_OPTIMIZER_MATH_CLIP_RANGE_H_
#define LATHE_OPTIMIZER_MATH_CLIP_RANGE_H_

// Which range values should be clipped to before they are quantized.

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/math/histogram.h"

namespace lathe::math {

// Always holds 0, which must be exact.
struct ClipRange {
  double lo = 0, hi = 0;
};

// How the values of tensors that share one range are distributed. Immutable; deterministic.
class Distribution {
 public:
  struct Part {
    const Histogram* histogram;
    double weight;  // of one counted value
  };
  // Values beyond `limit` do not count.
  Distribution(absl::Span<const Part> parts, ClipRange limit);

  // Smallest and largest value that counts.
  ClipRange whole() const { return whole_; }

  // Expected mean squared error of a value when all are clipped to the range and rounded to `levels` steps in it: the
  // square of what is cut off, and step^2 / 12 for what is inside. Exact zeros have none.
  // REQUIRES: range.lo <= 0 <= range.hi.
  double ErrorOf(ClipRange range, int levels) const;

  // Cuts off a share of 1 - `share` of the values, half of it at each end, or all of it at the one end beyond 0.
  ClipRange Percentile(double share) const;

  // The least ErrorOf when each end shrinks by itself, down to 2^-8 of it; ends are found to about 1 %.
  ClipRange LeastError(int levels) const;

  // The threshold t of |x| whose distribution, clipped at t and given `levels` / 2 levels, differs least from the
  // clipped one before, by Kullback-Leibler divergence (Migacz, "8-bit inference with TensorRT", 2017). Zeros do not
  // count.
  ClipRange LeastDivergence(int levels) const;

 private:
  struct Point {
    double value, weight;
  };
  // Of the points below some index: sums of weight, weight * value and weight * value^2.
  struct Sums {
    double weight = 0, first = 0, second = 0;
  };
  // How many points are below `value`.
  size_t IndexOf(double value) const;
  ClipRange BestOf(absl::Span<const double> lows, absl::Span<const double> highs, int levels) const;

  ClipRange whole_;
  double zeros_ = 0;           // weight of the values that are 0
  std::vector<Point> points_;  // the others, ascending
  std::vector<Sums> sums_;     // one more than points
};

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_CLIP_RANGE_H_
