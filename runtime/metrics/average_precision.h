#ifndef LATHE_RUNTIME_METRICS_AVERAGE_PRECISION_H_
#define LATHE_RUNTIME_METRICS_AVERAGE_PRECISION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/metrics/detection_decoding.h"
#include "runtime/metrics/metric.h"

namespace lathe {

// map and map_50_95: mean average precision as pycocotools' COCOeval computes it for boxes: all areas, no crowds, 101
// recall points, IoU .50 and .50:.05:.95, averaged over the classes that the labels have. Labels of a sample are rows
// of class, x1, y1, x2, y2 in pixels; rows of a negative class are padding.
class AveragePrecision : public Metric {
 public:
  explicit AveragePrecision(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"map", "map_50_95"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  // The number of classes in the labels; class and count of each; class, score and matches of each box, bit t for IoU
  // threshold t.
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;
  std::vector<std::vector<double>> Answers(const MetricSample& sample) const override;

 private:
  const MetricOptions options_;
  std::optional<DetectionDecoder> decoder_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_AVERAGE_PRECISION_H_
