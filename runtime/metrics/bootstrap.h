#ifndef LATHE_RUNTIME_METRICS_BOOTSTRAP_H_
#define LATHE_RUNTIME_METRICS_BOOTSTRAP_H_

#include <cstdint>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// Where the difference of two figures lies.
struct DifferenceInterval {
  double low = 0, high = 0;  // 95 % interval of output - input
  uint32_t resamples = 0;    // that it rests on
};

// Paired bootstrap: every resample draws as many samples as there are, with replacement, and takes both models' figures
// on the same draw; the interval holds the middle 95 % of the differences (percentile method, Efron and Tibshirani
// 1993, chapter 13). Seeded, the same for any thread count. 1,000 resamples, fewer (at least 200) where those would
// take more than a second or so. Resamples on which a figure is not defined are left out; with fewer than 100 left the
// interval is the whole line (infinite). REQUIRES: samples > 0; figure is an index of Metric::figures().
DifferenceInterval BootstrapDifference(const MetricTotal& input, const MetricTotal& output, size_t figure,
                                       size_t samples, uint64_t seed);

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_BOOTSTRAP_H_
