#ifndef LATHE_RUNTIME_METRICS_ERROR_RATE_H_
#define LATHE_RUNTIME_METRICS_ERROR_RATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/metrics/ctc.h"
#include "runtime/metrics/metric.h"

namespace lathe {

// wer and cer: edits over all samples divided by the words (characters, spaces included) of all references, as jiwer.
// The output is [frames, classes]; labels are classes of symbols, padded with -1.
class ErrorRate : public Metric {
 public:
  explicit ErrorRate(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"wer", "cer"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;

 private:
  const MetricOptions options_;
  size_t output_ = 0;
  std::optional<CtcDecoder> decoder_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_ERROR_RATE_H_
