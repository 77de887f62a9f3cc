#ifndef LATHE_RUNTIME_METRICS_FIDELITY_H_
#define LATHE_RUNTIME_METRICS_FIDELITY_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// How near outputs stay to another model's, without labels. y is the other model's value, q this one's; all outputs
// together unless one is named. A row is what RowLength says; outputs of one value a row have no distribution and count
// for sqnr and cosine alone.
//   agreement = share of the rows whose largest value stands at the same place.
//   sqnr      = 10 * log10(sum y^2 / sum (y - q)^2) over all samples; 200 for no error.
//   cosine    = mean over the samples of sum y q / sqrt(sum y^2 * sum q^2); two zero signals are equal, 1.
//   kl        = mean over the rows of sum p log(p / r), p of y, r of q. Rows that are distributions already (not
//               negative, sum 1 within 1e-3, in both models) are taken as they are, r at least 1e-12; others by
//               softmax.
class Fidelity : public Metric {
 public:
  explicit Fidelity(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"agreement", "sqnr", "cosine", "kl"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;

 private:
  struct Output {
    size_t index = 0, row_length = 0;
  };
  const MetricOptions options_;
  std::vector<Output> outputs_;
};

// Divergence from p to r, in nats; see above. REQUIRES: equal sizes, not empty.
double KlDivergence(absl::Span<const double> y, absl::Span<const double> q);

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_FIDELITY_H_
