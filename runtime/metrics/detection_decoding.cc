#include "runtime/metrics/detection_decoding.h"

#include <algorithm>
#include <cmath>

#include "runtime/metrics/metric.h"

namespace lathe {
namespace {

constexpr size_t kBoxValues = 5;  // tx, ty, tw, th, object
constexpr double kAnchorCells = 3;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

void SortByScore(std::vector<DetectedBox>& boxes) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const DetectedBox& a, const DetectedBox& b) { return a.score > b.score; });
}

// Appends what greedy suppression keeps of one class.
void Suppress(std::vector<DetectedBox> candidates, double overlap_max, std::vector<DetectedBox>* kept) {
  SortByScore(candidates);
  const size_t begin = kept->size();
  for (const DetectedBox& box : candidates) {
    const bool covered = std::any_of(kept->begin() + static_cast<ptrdiff_t>(begin), kept->end(),
                                     [&](const DetectedBox& other) { return BoxOverlap(box, other) > overlap_max; });
    if (!covered) kept->push_back(box);
  }
}

}  // namespace

double BoxOverlap(const DetectedBox& a, const DetectedBox& b) {
  const double a_width = a.x2 - a.x1, a_height = a.y2 - a.y1, b_width = b.x2 - b.x1, b_height = b.y2 - b.y1;
  const double width = std::min(a_width + a.x1, b_width + b.x1) - std::max(a.x1, b.x1);
  const double height = std::min(a_height + a.y1, b_height + b.y1) - std::max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const double shared = width * height;
  return shared / (a_width * a_height + b_width * b_height - shared);
}

absl::StatusOr<DetectionDecoder> DetectionDecoder::Make(const std::vector<TensorInfo>& inputs,
                                                        const std::vector<TensorInfo>& outputs,
                                                        const MetricOptions& options) {
  DetectionDecoder decoder;
  decoder.options_ = options.detection;
  const bool image = inputs.size() == 1 && inputs[0].shape.size() == 4;
  if (!image && (!options.detection.image_width || !options.detection.image_height)) {
    return Unfit(
        "the model's input is no image [1, height, width, channels]: give the size of images by the metric "
        "options `detection.image_width` and `detection.image_height`");
  }
  decoder.width_ = options.detection.image_width.value_or(image ? inputs[0].shape[2] : 0);
  decoder.height_ = options.detection.image_height.value_or(image ? inputs[0].shape[1] : 0);
  using Format = MetricOptions::Detection::Format;
  const Format format = options.detection.format;
  decoder.grid_ =
      format == Format::kGrid || (format == Format::kAuto && (outputs.size() == 1 || !options.output.empty()));
  LATHE_RETURN_IF_ERROR(decoder.grid_ ? decoder.BindGrid(outputs, options) : decoder.BindPostProcess(outputs));
  return decoder;
}

absl::Status DetectionDecoder::BindGrid(const std::vector<TensorInfo>& outputs, const MetricOptions& options) {
  LATHE_ASSIGN_OR_RETURN(output_, FindTensor(outputs, options.output, "output", "output"));
  const TensorInfo& info = outputs[output_];
  const size_t axes = info.shape.size(), anchors = std::max<size_t>(options_.anchors.size(), 1);
  const size_t channels = axes < 3 ? 0 : static_cast<size_t>(info.shape[axes - 1]);
  if (channels % anchors != 0 || channels / anchors <= kBoxValues) {
    return Unfit(
        absl::StrFormat("output '%s' is no grid of boxes [rows, columns, %d * (5 + classes)]: see the metric option "
                        "`detection`",
                        DisplayName(info), anchors));
  }
  rows_ = static_cast<size_t>(info.shape[axes - 3]);
  columns_ = static_cast<size_t>(info.shape[axes - 2]);
  if (rows_ * columns_ * channels != static_cast<size_t>(info.elements)) {
    return Unfit(
        absl::StrFormat("output '%s' holds more than one grid; `map` needs one image a run", DisplayName(info)));
  }
  classes_ = channels / anchors - kBoxValues;
  if (options_.anchors.empty()) {
    options_.anchors.push_back({.width = kAnchorCells * width_ / static_cast<double>(columns_),
                                .height = kAnchorCells * height_ / static_cast<double>(rows_)});
  }
  return absl::OkStatus();
}

absl::Status DetectionDecoder::BindPostProcess(const std::vector<TensorInfo>& outputs) {
  if (outputs.size() < 4) {
    return Unfit(
        absl::StrFormat("the model has %d outputs, neither one grid nor the four (boxes, classes, scores, count) of "
                        "TFLite_Detection_PostProcess: see the metric option `detection`",
                        outputs.size()));
  }
  const auto find = [&](const std::string& name, size_t index, const char* option) -> absl::StatusOr<size_t> {
    if (name.empty()) return index;
    return FindTensor(outputs, name, "output", option);
  };
  LATHE_ASSIGN_OR_RETURN(boxes_, find(options_.boxes, 0, "detection.boxes"));
  LATHE_ASSIGN_OR_RETURN(kinds_, find(options_.classes, 1, "detection.classes"));
  LATHE_ASSIGN_OR_RETURN(scores_, find(options_.scores, 2, "detection.scores"));
  LATHE_ASSIGN_OR_RETURN(count_, find(options_.count, 3, "detection.count"));
  const int64_t most = outputs[scores_].elements;
  if (outputs[boxes_].elements != 4 * most || outputs[kinds_].elements != most || outputs[count_].elements != 1) {
    return Unfit(
        absl::StrFormat("outputs '%s', '%s', '%s', '%s' have %d, %d, %d and %d values, expected 4 n, n, n and 1: say "
                        "which is which by the metric options `detection.boxes`, `.classes`, `.scores`, `.count`",
                        DisplayName(outputs[boxes_]), DisplayName(outputs[kinds_]), DisplayName(outputs[scores_]),
                        DisplayName(outputs[count_]), outputs[boxes_].elements, outputs[kinds_].elements, most,
                        outputs[count_].elements));
  }
  return absl::OkStatus();
}

std::vector<DetectedBox> DetectionDecoder::Decode(absl::Span<const std::vector<double>> outputs) const {
  std::vector<DetectedBox> boxes = grid_ ? DecodeGrid(outputs[output_]) : DecodePostProcess(outputs);
  SortByScore(boxes);
  if (boxes.size() > options_.detections_max) boxes.resize(options_.detections_max);
  return boxes;
}

DetectedBox DetectionDecoder::BoxAt(absl::Span<const double> values, size_t row, size_t column, size_t anchor) const {
  const double x = (static_cast<double>(column) + Sigmoid(values[0])) * (width_ / static_cast<double>(columns_));
  const double y = (static_cast<double>(row) + Sigmoid(values[1])) * (height_ / static_cast<double>(rows_));
  const double width = std::exp(std::min(values[2], options_.size_log_max)) * options_.anchors[anchor].width;
  const double height = std::exp(std::min(values[3], options_.size_log_max)) * options_.anchors[anchor].height;
  DetectedBox box;
  box.x1 = std::clamp(x - width / 2, 0.0, width_);
  box.y1 = std::clamp(y - height / 2, 0.0, height_);
  box.x2 = std::clamp(x + width / 2, 0.0, width_);
  box.y2 = std::clamp(y + height / 2, 0.0, height_);
  return box;
}

std::vector<DetectedBox> DetectionDecoder::DecodeGrid(absl::Span<const double> grid) const {
  const size_t anchors = options_.anchors.size(), stride = kBoxValues + classes_;
  std::vector<std::vector<DetectedBox>> candidates(classes_);
  for (size_t i = 0; i < rows_ * columns_ * anchors; ++i) {
    const absl::Span<const double> values = grid.subspan(i * stride, stride);
    const double object = Sigmoid(values[4]);
    if (object < options_.score_min) continue;
    DetectedBox box = BoxAt(values, i / anchors / columns_, i / anchors % columns_, i % anchors);
    for (size_t kind = 0; kind < classes_; ++kind) {
      box.kind = static_cast<double>(kind) + options_.class_offset;
      box.score = object * Sigmoid(values[kBoxValues + kind]);
      if (box.score >= options_.score_min) candidates[kind].push_back(box);
    }
  }
  std::vector<DetectedBox> kept;
  for (std::vector<DetectedBox>& of_class : candidates) Suppress(std::move(of_class), options_.overlap_max, &kept);
  return kept;
}

std::vector<DetectedBox> DetectionDecoder::DecodePostProcess(absl::Span<const std::vector<double>> outputs) const {
  const std::vector<double>&corners = outputs[boxes_], &scores = outputs[scores_];
  const auto most = static_cast<double>(scores.size());
  const auto count = static_cast<size_t>(std::clamp(outputs[count_][0], 0.0, most));
  std::vector<DetectedBox> boxes;
  for (size_t i = 0; i < count; ++i) {
    if (scores[i] < options_.score_min) continue;
    DetectedBox box;
    box.kind = outputs[kinds_][i] + options_.class_offset;
    box.score = scores[i];
    box.y1 = corners[4 * i] * height_;
    box.x1 = corners[4 * i + 1] * width_;
    box.y2 = std::max(corners[4 * i + 2] * height_, box.y1);
    box.x2 = std::max(corners[4 * i + 3] * width_, box.x1);
    boxes.push_back(box);
  }
  return boxes;
}

}  // namespace lathe
