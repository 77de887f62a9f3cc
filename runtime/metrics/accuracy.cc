#include "runtime/metrics/accuracy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/metrics/bootstrap.h"

namespace lathe {
namespace {

absl::Status Undefined(const std::string& name) {
  const char* why = "the samples give no figure";
  if (name == "wer" || name == "cer") why = "the references have no words";
  if (name == "map" || name == "map_50_95") why = "the labels have no boxes";
  if (name == "auc") why = "all samples have the same label";
  if (name == "psnr") why = "labels are larger than 1: give the signal's largest value by the metric option `peak`";
  if (name == "top1" || name == "top5") why = "all labels are -1";
  if (name == "sqnr") why = "the outputs are zero on every sample";
  if (name == "agreement" || name == "kl") why = "no output has several values: use the metric sqnr";
  return MakeError(absl::StatusCode::kInvalidArgument, "METRIC_UNDEFINED",
                   absl::StrFormat("%s is not defined: %s", name, why));
}

// How a difference is told: hundredths of a fraction are points.
struct Scale {
  double factor;
  const char* unit;
};

Scale ScaleOf(const std::string& unit) {
  if (unit == "fraction") return {100, " points"};
  if (unit == "percent") return {1, " points"};
  if (unit == "db") return {1, " dB"};
  if (unit == "nats") return {1, " nats"};
  return {1, ""};
}

// Enough digits for the size of the figure.
std::string Figure(double value) {
  return std::fabs(value) >= 0.1 || value == 0 ? absl::StrFormat("%.2f", value) : absl::StrFormat("%.2g", value);
}

std::string Signed(double value) { return (value < 0 ? "-" : "+") + Figure(std::fabs(value)); }

// Metrics without labels measure how far from the input the output is: there is nothing to be better or worse than.
std::string FidelityVerdict(const AccuracyReport& report) {
  std::string text = absl::StrFormat("%s with the input %.4f", report.metric, *report.output);
  if (report.difference_low) {
    text += absl::StrFormat(" (95 %% interval %.4f .. %.4f)", report.input + *report.difference_low,
                            report.input + *report.difference_high);
  }
  return text;
}

}  // namespace

std::string AccuracyVerdict(const AccuracyReport& report) {
  const MetricInfo* info = FindMetric(report.metric);
  if (info != nullptr && !info->needs_labels) return FidelityVerdict(report);
  const Scale scale = ScaleOf(report.unit);
  const double difference = *report.difference * scale.factor;
  const bool better = (difference > 0) == report.higher_is_better;
  std::string text = "no difference";
  if (difference != 0) text = Figure(std::fabs(difference)) + scale.unit + (better ? " better" : " worse");
  if (!report.difference_low) return text + ", and too few samples to say whether that is more than chance";
  const bool real = *report.difference_low > 0 || *report.difference_high < 0;
  if (difference != 0 && !real) text += ", not distinguishable from no change";
  return text + absl::StrFormat(" (95 %% interval %s .. %s%s)", Signed(*report.difference_low * scale.factor),
                                Signed(*report.difference_high * scale.factor), scale.unit);
}

absl::StatusOr<AccuracyReport> DescribeAccuracy(const std::string& name, const Metric& metric,
                                                std::vector<SampleScores> scores, uint64_t seed) {
  const std::vector<std::string> figures = metric.figures();
  const auto primary = static_cast<size_t>(std::find(figures.begin(), figures.end(), name) - figures.begin());
  const MetricInfo& info = *FindMetric(name);
  AccuracyReport report;
  report.metric = name;
  report.unit = info.unit;
  report.higher_is_better = info.higher_is_better;
  report.samples = scores[0].size();
  const std::vector<uint32_t> once(report.samples, 1);
  std::vector<std::unique_ptr<MetricTotal>> totals;
  std::vector<std::vector<double>> values;
  for (SampleScores& of_model : scores) {
    totals.push_back(metric.Summarize(std::move(of_model)));
    values.push_back(totals.back()->Figures(once));
    if (!std::isfinite(values.back()[primary])) return Undefined(name);
  }
  const bool pair = values.size() > 1;
  report.input = values[0][primary];
  for (size_t i = 0; i < figures.size(); ++i) {
    if (i == primary || !std::isfinite(values[0][i]) || !std::isfinite(values.back()[i])) continue;
    report.also.push_back({figures[i], values[0][i], pair ? std::optional<double>(values[1][i]) : std::nullopt});
  }
  if (!pair) return report;
  report.output = values[1][primary];
  report.difference = *report.output - report.input;
  const DifferenceInterval interval = BootstrapDifference(*totals[0], *totals[1], primary, report.samples, seed);
  report.resamples = interval.resamples;
  if (std::isfinite(interval.low)) {
    report.difference_low = interval.low;
    report.difference_high = interval.high;
  }
  if (report.unit == "fraction" || report.unit == "percent") {
    report.difference_points = *report.difference * ScaleOf(report.unit).factor;
  }
  report.verdict = AccuracyVerdict(report);
  return report;
}

}  // namespace lathe
