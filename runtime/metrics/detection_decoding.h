#ifndef LATHE_RUNTIME_METRICS_DETECTION_DECODING_H_
#define LATHE_RUNTIME_METRICS_DETECTION_DECODING_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/recipe/metric.h"
#include "runtime/interpreter.h"

namespace lathe {

// A box in pixels of the model's input; x1 <= x2, y1 <= y2.
struct DetectedBox {
  double kind = 0;  // class, in the labels' numbers
  double score = 0;
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

// Intersection over union as pycocotools computes it (on x, y, width, height). 0 for boxes that do not touch.
double BoxOverlap(const DetectedBox& a, const DetectedBox& b);

// Turns a detector's outputs into boxes, best first, at most options.detections_max.
//
// Grid: the output is [rows, columns, anchors * (5 + classes)]; each anchor of cell (row i, column j) holds tx, ty, tw,
// th, object, then a value for each class. With s = sigmoid and a cell of w x h pixels (image size / grid size):
//   center = ((j + s(tx)) * w, (i + s(ty)) * h), size = exp(min(tw, size_log_max)) * anchor.width, height likewise;
//   cut at the image; score of a class = s(object) * s(class), kept from score_min on. For each class greedy
//   suppression: best first (equal scores in order of cells), a box that overlaps a kept one by more than overlap_max
//   is dropped.
// Post-process: boxes [n, 4] = ymin, xmin, ymax, xmax as shares of the image, classes [n], scores [n], count [1], as
// the
//   operator TFLite_Detection_PostProcess gives them; it has suppressed already.
class DetectionDecoder {
 public:
  // METRIC_UNFIT: outputs that are neither, an image size that the input does not tell; says what to set.
  static absl::StatusOr<DetectionDecoder> Make(const std::vector<TensorInfo>& inputs,
                                               const std::vector<TensorInfo>& outputs, const MetricOptions& options);
  // REQUIRES: outputs as those given to Make.
  std::vector<DetectedBox> Decode(absl::Span<const std::vector<double>> outputs) const;

 private:
  absl::Status BindGrid(const std::vector<TensorInfo>& outputs, const MetricOptions& options);
  absl::Status BindPostProcess(const std::vector<TensorInfo>& outputs);
  std::vector<DetectedBox> DecodeGrid(absl::Span<const double> grid) const;
  std::vector<DetectedBox> DecodePostProcess(absl::Span<const std::vector<double>> outputs) const;
  // The box of one anchor of a cell.
  DetectedBox BoxAt(absl::Span<const double> values, size_t row, size_t column, size_t anchor) const;

  MetricOptions::Detection options_;  // with its defaults filled in
  double width_ = 0, height_ = 0;     // of the image, pixels
  bool grid_ = true;
  size_t output_ = 0, rows_ = 0, columns_ = 0, classes_ = 0;  // grid
  size_t boxes_ = 0, kinds_ = 0, scores_ = 0, count_ = 0;     // post-process: outputs
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_DETECTION_DECODING_H_
