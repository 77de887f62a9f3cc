#ifndef LATHE_RUNTIME_METRICS_ACCURACY_H_
#define LATHE_RUNTIME_METRICS_ACCURACY_H_

#include <string>
#include <vector>

#include "optimizer/report/accuracy_report.h"
#include "runtime/metrics/metric.h"

namespace lathe {

// What every sample added to a metric, for one model.
using SampleScores = std::vector<std::vector<double>>;

// The report of one or two models' scores on the same samples: figures, their paired difference and whether it is real.
// INVALID_ARGUMENT METRIC_UNDEFINED: the samples give no figure (one class only, references without words, labels above
// the peak of psnr), saying why. REQUIRES: `name` is one of metric.figures(); scores of as many samples, at least one.
absl::StatusOr<AccuracyReport> DescribeAccuracy(const std::string& name, const Metric& metric,
                                                std::vector<SampleScores> scores, uint64_t seed);

// "0.30 points worse, not distinguishable from no change (95 % interval -0.80 .. +0.20 points)". REQUIRES: two models.
std::string AccuracyVerdict(const AccuracyReport& report);

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_ACCURACY_H_
