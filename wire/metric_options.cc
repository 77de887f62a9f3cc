#include "wire/metric_options.h"

#include "common/file.h"
#include "wire/message_text.h"

namespace lathe {
namespace {

constexpr uint64_t kOptionsBytesMax = 4 << 20;  // a vocabulary may be long

MetricOptions::Detection DetectionFromProto(const v1::MetricOptions::Detection& proto) {
  using Format = MetricOptions::Detection::Format;
  MetricOptions::Detection detection;
  if (proto.format() == v1::MetricOptions::Detection::GRID) detection.format = Format::kGrid;
  if (proto.format() == v1::MetricOptions::Detection::POST_PROCESS) detection.format = Format::kPostProcess;
  if (proto.has_score_min()) detection.score_min = proto.score_min();
  if (proto.has_overlap_max()) detection.overlap_max = proto.overlap_max();
  if (proto.has_detections_max()) detection.detections_max = proto.detections_max();
  if (proto.has_size_log_max()) detection.size_log_max = proto.size_log_max();
  for (const auto& anchor : proto.anchors()) detection.anchors.push_back({anchor.width(), anchor.height()});
  if (proto.has_image_width()) detection.image_width = proto.image_width();
  if (proto.has_image_height()) detection.image_height = proto.image_height();
  if (proto.has_class_offset()) detection.class_offset = proto.class_offset();
  detection.boxes = proto.boxes();
  detection.classes = proto.classes();
  detection.scores = proto.scores();
  detection.count = proto.count();
  return detection;
}

MetricOptions::AnswerSpan AnswerSpanFromProto(const v1::MetricOptions::AnswerSpan& proto) {
  MetricOptions::AnswerSpan span;
  span.input = proto.input();
  if (!proto.start().empty()) span.start = proto.start();
  if (!proto.end().empty()) span.end = proto.end();
  if (proto.has_separator()) span.separator = proto.separator();
  if (proto.has_window()) span.window = proto.window();
  span.vocabulary.assign(proto.vocabulary().begin(), proto.vocabulary().end());
  return span;
}

}  // namespace

MetricOptions MetricOptionsFromProto(const v1::MetricOptions& proto) {
  MetricOptions options;
  options.output = proto.output();
  if (proto.has_label_scale()) options.label_scale = proto.label_scale();
  if (proto.has_label_offset()) options.label_offset = proto.label_offset();
  if (proto.has_peak()) options.peak = proto.peak();
  if (proto.ctc().has_blank()) options.ctc.blank = proto.ctc().blank();
  options.ctc.alphabet = proto.ctc().alphabet();
  options.detection = DetectionFromProto(proto.detection());
  options.answer_span = AnswerSpanFromProto(proto.answer_span());
  return options;
}

absl::StatusOr<v1::MetricOptions> ReadMetricOptionsFile(const std::string& path) {
  const auto invalid = [&](const absl::Status& status) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                     absl::StrFormat("metric options '%s': %s", path, status.message()));
  };
  const auto text = ReadFile(path, kOptionsBytesMax);
  if (!text.ok()) return invalid(text.status());
  v1::MetricOptions options;
  const absl::Status status = ParseMessageText(*text, "a mapping of options such as 'peak: 255'", &options);
  if (!status.ok()) return invalid(status);
  return options;
}

}  // namespace lathe
