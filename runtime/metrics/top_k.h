#ifndef LATHE_RUNTIME_METRICS_TOP_K_H_
#define LATHE_RUNTIME_METRICS_TOP_K_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// top1 and top5: classes by their scores. A score that is equal to another counts behind it when its class is higher,
// so that top1 is argmax. An output of several rows (frames, pixels) needs one label a row; -1 leaves a row out.
class TopK : public Metric {
 public:
  explicit TopK(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"top1", "top5"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;

 private:
  const MetricOptions options_;
  size_t output_ = 0, classes_ = 0;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_TOP_K_H_
