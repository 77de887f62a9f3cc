#ifndef LATHE_RUNTIME_METRICS_SUM_TOTAL_H_
#define LATHE_RUNTIME_METRICS_SUM_TOTAL_H_

#include <functional>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// The total of a metric that is a function of sums over the samples, as most are.
class SumTotal : public MetricTotal {
 public:
  using Finish = std::function<std::vector<double>(absl::Span<const double> sums)>;
  // Every score has `columns` numbers; `finish` turns their weighted sums into figures.
  SumTotal(std::vector<std::vector<double>> scores, size_t columns, Finish finish);

  std::vector<double> Figures(absl::Span<const uint32_t> weights) const override;
  uint64_t cost() const override { return values_.size(); }

 private:
  const size_t columns_;
  const Finish finish_;
  std::vector<double> values_;  // sample after sample
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_SUM_TOTAL_H_
