#include "optimizer/recipe/metric.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lathe {
namespace {

void Require(bool good, const std::string& field, const std::string& what, std::vector<FieldViolation>& violations) {
  if (!good) violations.push_back({field, what});
}

void CheckDetection(const MetricOptions::Detection& detection, const std::string& field,
                    std::vector<FieldViolation>& violations) {
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  const auto size = [](double value) { return std::isfinite(value) && value > 0; };
  Require(share(detection.score_min), field + ".score_min", "must lie in 0 .. 1", violations);
  Require(share(detection.overlap_max), field + ".overlap_max", "must lie in 0 .. 1", violations);
  Require(detection.detections_max >= 1, field + ".detections_max", "must be at least 1", violations);
  Require(std::isfinite(detection.size_log_max), field + ".size_log_max", "must be finite", violations);
  Require(std::isfinite(detection.class_offset), field + ".class_offset", "must be finite", violations);
  Require(size(detection.image_width.value_or(1)), field + ".image_width", "must be above 0", violations);
  Require(size(detection.image_height.value_or(1)), field + ".image_height", "must be above 0", violations);
  for (size_t i = 0; i < detection.anchors.size(); ++i) {
    const MetricOptions::Anchor& anchor = detection.anchors[i];
    Require(size(anchor.width) && size(anchor.height), absl::StrCat(field, ".anchors[", i, "]"),
            "width and height must be above 0", violations);
  }
}

}  // namespace

const std::vector<MetricInfo>& Metrics() {
  static const std::vector<MetricInfo> metrics = {
      {"top1", "fraction", true, true, "share of samples whose largest score stands at the label"},
      {"top5", "fraction", true, true, "share of samples whose label is among the five largest scores"},
      {"wer", "fraction", false, true, "word errors over the words of the references, CTC greedy decoding"},
      {"cer", "fraction", false, true, "the same over characters"},
      {"map", "fraction", true, true, "mean average precision of boxes at IoU .50, as COCO"},
      {"map_50_95", "fraction", true, true, "the same averaged over IoU .50:.05:.95"},
      {"f1", "percent", true, true, "overlap of answers in words, as SQuAD"},
      {"em", "percent", true, true, "share of answers that are equal, as SQuAD"},
      {"psnr", "db", true, true, "peak signal to noise, mean over the samples"},
      {"rmse", "value", false, true, "root of the mean squared difference to the labels"},
      {"auc", "fraction", true, true, "area under the ROC curve; several classes: one against the rest, averaged"},
      {"agreement", "fraction", true, false, "share of largest scores at the same place as the other model's"},
      {"sqnr", "db", true, false, "signal of the other model over the difference to it"},
      {"cosine", "fraction", true, false, "cosine between both models' outputs, mean over the samples"},
      {"kl", "nats", false, false, "Kullback-Leibler divergence from the other model's distribution, mean"},
  };
  return metrics;
}

const MetricInfo* FindMetric(std::string_view name) {
  const auto& all = Metrics();
  const auto found = std::find_if(all.begin(), all.end(), [&](const MetricInfo& info) { return info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<FieldViolation> CheckMetric(std::string_view name, const MetricOptions& options,
                                        const std::string& metric_field, const std::string& options_field) {
  std::vector<FieldViolation> violations;
  if (FindMetric(name) == nullptr) {
    const std::string known =
        absl::StrJoin(Metrics(), ", ", [](std::string* out, const MetricInfo& info) { *out += info.name; });
    violations.push_back({metric_field, absl::StrFormat("'%s' is not known; the metrics are %s", name, known)});
  }
  const bool scales = std::isfinite(options.label_scale) && options.label_scale != 0;
  Require(scales, options_field + ".label_scale", "must be finite and not 0", violations);
  Require(std::isfinite(options.label_offset), options_field + ".label_offset", "must be finite", violations);
  const double peak = options.peak.value_or(1);
  Require(std::isfinite(peak) && peak > 0, options_field + ".peak", "must be above 0", violations);
  Require(options.answer_span.window >= 1, options_field + ".answer_span.window", "must be at least 1", violations);
  CheckDetection(options.detection, options_field + ".detection", violations);
  return violations;
}

}  // namespace lathe
