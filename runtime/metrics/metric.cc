#include "runtime/metrics/metric.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "runtime/metrics/answer_span.h"
#include "runtime/metrics/average_precision.h"
#include "runtime/metrics/error_rate.h"
#include "runtime/metrics/fidelity.h"
#include "runtime/metrics/roc_auc.h"
#include "runtime/metrics/signal_error.h"
#include "runtime/metrics/top_k.h"

namespace lathe {

std::unique_ptr<Metric> MakeMetric(std::string_view name, const MetricOptions& options) {
  if (name == "top1" || name == "top5") return std::make_unique<TopK>(options);
  if (name == "wer" || name == "cer") return std::make_unique<ErrorRate>(options);
  if (name == "map" || name == "map_50_95") return std::make_unique<AveragePrecision>(options);
  if (name == "f1" || name == "em") return std::make_unique<AnswerSpan>(options);
  if (name == "psnr" || name == "rmse") return std::make_unique<SignalError>(options);
  if (name == "auc") return std::make_unique<RocAuc>(options);
  return std::make_unique<Fidelity>(options);
}

absl::Status Unfit(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "METRIC_UNFIT", what);
}

absl::Status BadLabels(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "LABELS_INVALID", what);
}

absl::StatusOr<size_t> FindTensor(const std::vector<TensorInfo>& tensors, const std::string& name, const char* kind,
                                  const char* option) {
  for (size_t i = 0; i < tensors.size() && !name.empty(); ++i) {
    if (tensors[i].signature_name == name || tensors[i].name == name) return i;
  }
  if (name.empty() && tensors.size() == 1) return size_t{0};
  const std::string known = absl::StrJoin(
      tensors, ", ", [](std::string* out, const TensorInfo& info) { *out += "'" + DisplayName(info) + "'"; });
  if (name.empty()) {
    return Unfit(absl::StrFormat("the model has %d %ss (%s): say which one by the metric option `%s`", tensors.size(),
                                 kind, known, option));
  }
  return Unfit(absl::StrFormat("the model has no %s '%s', it has %s: name one by the metric option `%s`", kind, name,
                               known, option));
}

size_t RowLength(const TensorInfo& info) {
  const bool flat = std::find(info.shape.begin(), info.shape.end(), info.elements) != info.shape.end();
  if (flat || info.shape.empty()) return static_cast<size_t>(info.elements);
  return static_cast<size_t>(info.shape.back());
}

size_t ArgMax(absl::Span<const double> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

absl::StatusOr<size_t> ClassLabel(double label, size_t classes) {
  if (label >= 0 && label < static_cast<double>(classes) && label == std::floor(label)) {
    return static_cast<size_t>(label);
  }
  return BadLabels(absl::StrFormat("a label is %g, expected a whole number in 0 .. %d", label, classes - 1));
}

}  // namespace lathe
