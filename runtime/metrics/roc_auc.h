#ifndef LATHE_RUNTIME_METRICS_ROC_AUC_H_
#define LATHE_RUNTIME_METRICS_ROC_AUC_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// auc: the area under the ROC curve, equal scores counted half (as scikit-learn's roc_auc_score).
// One value a sample: it is the score, labels are 0 and 1. Two values: the second minus the first. More: each class
// against the rest by its own value, averaged over the classes that have samples on both sides; a sample has one label,
// or one of 0 and 1 for each class.
class RocAuc : public Metric {
 public:
  explicit RocAuc(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"auc"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  // Scores of the columns, then whether each is positive.
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;

 private:
  size_t columns() const { return values_ <= 2 ? 1 : values_; }
  const MetricOptions options_;
  size_t output_ = 0, values_ = 0;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_ROC_AUC_H_
