#ifndef LATHE_TESTS_RUNTIME_METRICS_METRIC_CASE_H_
#define LATHE_TESTS_RUNTIME_METRICS_METRIC_CASE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

inline TensorInfo MakeInfo(const std::string& name, std::vector<int32_t> shape) {
  TensorInfo info;
  info.name = name;
  info.elements = 1;
  for (int32_t size : shape) info.elements *= size;
  info.shape = std::move(shape);
  return info;
}

// A metric on made-up outputs: samples are added, then figures are asked for.
class MetricCase {
 public:
  MetricCase(const std::string& name, std::vector<TensorInfo> outputs, const MetricOptions& options = {},
             std::vector<TensorInfo> inputs = {MakeInfo("x", {1, 4})})
      : metric_(MakeMetric(name, options)), bound_(metric_->Bind(inputs, outputs)) {}

  const absl::Status& bound() const { return bound_; }

  absl::Status Add(std::vector<std::vector<double>> outputs, std::vector<double> labels,
                   std::vector<std::vector<double>> reference = {}, std::vector<std::vector<double>> inputs = {}) {
    MetricSample sample;
    sample.index = scores_.size();
    sample.inputs = inputs;
    sample.outputs = outputs;
    sample.reference = reference;
    sample.labels = labels;
    auto score = metric_->Score(sample);
    if (!score.ok()) return score.status();
    scores_.push_back(*std::move(score));
    return absl::OkStatus();
  }

  // With every sample counted once, or as often as given.
  std::vector<double> Figures(std::vector<uint32_t> weights = {}) const {
    if (weights.empty()) weights.assign(scores_.size(), 1);
    return metric_->Summarize(scores_)->Figures(weights);
  }

  const Metric& metric() const { return *metric_; }
  const std::vector<std::vector<double>>& scores() const { return scores_; }

 private:
  std::unique_ptr<Metric> metric_;
  absl::Status bound_;
  std::vector<std::vector<double>> scores_;
};

}  // namespace lathe

#endif  // LATHE_TESTS_RUNTIME_METRICS_METRIC_CASE_H_
