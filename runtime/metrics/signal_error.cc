#include "runtime/metrics/signal_error.h"

#include <cmath>
#include <utility>

#include "runtime/metrics/sum_total.h"

namespace lathe {
namespace {

constexpr double kPsnrOfEqualDb = 200;

}  // namespace

absl::Status SignalError::Bind(const std::vector<TensorInfo>& /*inputs*/, const std::vector<TensorInfo>& outputs) {
  LATHE_ASSIGN_OR_RETURN(output_, FindTensor(outputs, options_.output, "output", "output"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> SignalError::Score(const MetricSample& sample) const {
  const std::vector<double>& values = sample.outputs[output_];
  if (sample.labels.size() != values.size()) {
    return BadLabels(absl::StrFormat("expected %d labels a sample, one for each value of the output, found %d",
                                     values.size(), sample.labels.size()));
  }
  const double peak = options_.peak.value_or(1);
  double squares = 0, above = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double difference = values[i] - sample.labels[i];
    squares += difference * difference;
    above += std::fabs(sample.labels[i]) > peak;
  }
  const double mean = squares / static_cast<double>(values.size());
  const double psnr = mean > 0 ? 10 * std::log10(peak * peak / mean) : kPsnrOfEqualDb;
  return std::vector<double>{psnr, 1, squares, static_cast<double>(values.size()), above};
}

std::unique_ptr<MetricTotal> SignalError::Summarize(std::vector<std::vector<double>> scores) const {
  const bool has_peak = options_.peak.has_value();
  return std::make_unique<SumTotal>(std::move(scores), 5, [has_peak](absl::Span<const double> sums) {
    // Labels that pass the peak show that the default is not theirs.
    const bool defined = has_peak || sums[4] == 0;
    return std::vector<double>{defined ? sums[0] / sums[1] : std::nan(""), std::sqrt(sums[2] / sums[3])};
  });
}

}  // namespace lathe
