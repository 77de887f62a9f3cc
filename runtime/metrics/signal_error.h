#ifndef LATHE_RUNTIME_METRICS_SIGNAL_ERROR_H_
#define LATHE_RUNTIME_METRICS_SIGNAL_ERROR_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// psnr and rmse: outputs against labels, value by value.
// psnr = mean over the samples of 10 * log10(peak^2 / mean squared error of the sample); 200 for no error.
// It is not defined where labels pass the peak and none was given: the default is not theirs.
// rmse = root of the mean over all values of all samples.
class SignalError : public Metric {
 public:
  explicit SignalError(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"psnr", "rmse"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;

 private:
  const MetricOptions options_;
  size_t output_ = 0;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_SIGNAL_ERROR_H_
