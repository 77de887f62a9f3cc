#include "runtime/metrics/top_k.h"

#include <utility>

#include "runtime/metrics/sum_total.h"

namespace lathe {
namespace {

// How many scores stand before that of `label`.
size_t Rank(absl::Span<const double> scores, size_t label) {
  size_t rank = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > scores[label] || (scores[i] == scores[label] && i < label)) ++rank;
  }
  return rank;
}

}  // namespace

absl::Status TopK::Bind(const std::vector<TensorInfo>& /*inputs*/, const std::vector<TensorInfo>& outputs) {
  LATHE_ASSIGN_OR_RETURN(output_, FindTensor(outputs, options_.output, "output", "output"));
  classes_ = RowLength(outputs[output_]);
  if (classes_ >= 2) return absl::OkStatus();
  return Unfit(absl::StrFormat("output '%s' has one value a sample and so no classes: use the metric auc or rmse",
                               DisplayName(outputs[output_])));
}

absl::StatusOr<std::vector<double>> TopK::Score(const MetricSample& sample) const {
  const std::vector<double>& values = sample.outputs[output_];
  const size_t rows = values.size() / classes_;
  if (sample.labels.size() != rows) {
    return BadLabels(absl::StrFormat("expected %d label%s a sample for an output of %d classes, found %d", rows,
                                     rows == 1 ? "" : "s", classes_, sample.labels.size()));
  }
  double first = 0, fifth = 0, counted = 0;
  for (size_t row = 0; row < rows; ++row) {
    if (rows > 1 && sample.labels[row] == -1) continue;
    LATHE_ASSIGN_OR_RETURN(const size_t label, ClassLabel(sample.labels[row], classes_));
    const size_t rank = Rank(absl::MakeConstSpan(values).subspan(row * classes_, classes_), label);
    first += rank < 1;
    fifth += rank < 5;
    ++counted;
  }
  return std::vector<double>{first, fifth, counted};
}

std::unique_ptr<MetricTotal> TopK::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<SumTotal>(std::move(scores), 3, [](absl::Span<const double> sums) {
    return std::vector<double>{sums[0] / sums[2], sums[1] / sums[2]};
  });
}

}  // namespace lathe
