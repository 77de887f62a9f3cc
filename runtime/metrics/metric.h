#ifndef LATHE_RUNTIME_METRICS_METRIC_H_
#define LATHE_RUNTIME_METRICS_METRIC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/recipe/metric.h"
#include "runtime/interpreter.h"

namespace lathe {

// What a metric sees of one sample. Values are real numbers: integers with a scale are dequantized. All of them are
// finite.
struct MetricSample {
  size_t index = 0;
  absl::Span<const std::vector<double>> inputs, outputs;  // in the order that Bind was given
  absl::Span<const std::vector<double>> reference;        // the other model's outputs; empty for metrics with labels
  absl::Span<const double> labels;                        // after label_scale and label_offset
};

// What samples add up to.
class MetricTotal {
 public:
  virtual ~MetricTotal() = default;
  // The metric's figures when sample i counts weights[i] times; in the order of Metric::figures(). A figure that is
  // not defined (no words at all) is NaN. Thread-safe. REQUIRES: as many weights as samples.
  virtual std::vector<double> Figures(absl::Span<const uint32_t> weights) const = 0;
  // About how many steps one call of Figures takes.
  virtual uint64_t cost() const = 0;
};

// Turns outputs into a figure in two steps: what each sample adds, which is all that is kept of it, then the figures of
// any weighting of the samples, which is what resampling needs.
class Metric {
 public:
  virtual ~Metric() = default;
  // Names of Metrics(); those that come with it at no cost, always in one order.
  virtual std::vector<std::string> figures() const = 0;
  // Looks once at what the model has. INVALID_ARGUMENT METRIC_UNFIT: no such output, shapes that the metric cannot
  // read, options that do not fit them; says which option to set.
  virtual absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) = 0;
  // Whether Score looks at MetricSample::inputs, which are left out otherwise.
  virtual bool needs_inputs() const { return false; }
  // What the sample adds. INVALID_ARGUMENT LABELS_INVALID: another number of labels than the outputs need, or labels
  // without a meaning, with what was expected and found; the caller adds the sample. Thread-safe. REQUIRES: Bind was
  // OK.
  virtual absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const = 0;
  // REQUIRES: what Score gave, one entry a sample, the same for any order of calls.
  virtual std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const = 0;
  // What the outputs say, decoded, as rows of equally many numbers, for metrics that decode into such: map gives class,
  // score, x1, y1, x2, y2 of each box; f1 and em the first and last position of the answer. Thread-safe.
  virtual std::vector<std::vector<double>> Answers(const MetricSample& /*sample*/) const { return {}; }
};

// REQUIRES: CheckMetric finds nothing.
std::unique_ptr<Metric> MakeMetric(std::string_view name, const MetricOptions& options);

// What the metrics share.

absl::Status Unfit(std::string_view what);
absl::Status BadLabels(std::string_view what);
// The index of the output (or input) called `name`, or of the only one when it is "". METRIC_UNFIT: none, or several;
// lists them and names `option`.
absl::StatusOr<size_t> FindTensor(const std::vector<TensorInfo>& tensors, const std::string& name, const char* kind,
                                  const char* option);
// How many values one decision has: all of them where one axis holds them all, else the last axis.
size_t RowLength(const TensorInfo& info);
// The place of the largest value; of equal ones the first. REQUIRES: !values.empty().
size_t ArgMax(absl::Span<const double> values);
// The label as a class. LABELS_INVALID: not a whole number in 0 .. classes - 1.
absl::StatusOr<size_t> ClassLabel(double label, size_t classes);

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_METRIC_H_
