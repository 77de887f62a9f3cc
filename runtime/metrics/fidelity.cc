#include "runtime/metrics/fidelity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "runtime/metrics/sum_total.h"

namespace lathe {
namespace {

constexpr double kSqnrOfEqualDb = 200;
constexpr double kSumTolerance = 1e-3;
constexpr double kProbabilityMin = 1e-12;

bool IsDistribution(absl::Span<const double> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return std::fabs(sum - 1) <= kSumTolerance && *std::min_element(values.begin(), values.end()) >= 0;
}

// Logarithms of the softmax.
std::vector<double> LogSoftmax(absl::Span<const double> values) {
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double value : values) sum += std::exp(value - largest);
  std::vector<double> logs;
  for (double value : values) logs.push_back(value - largest - std::log(sum));
  return logs;
}

double Sqnr(double signal, double noise) {
  if (signal == 0) return std::nan("");
  return noise == 0 ? kSqnrOfEqualDb : std::min(kSqnrOfEqualDb, 10 * std::log10(signal / noise));
}

}  // namespace

double KlDivergence(absl::Span<const double> y, absl::Span<const double> q) {
  double divergence = 0;
  if (IsDistribution(y) && IsDistribution(q)) {
    for (size_t i = 0; i < y.size(); ++i) {
      if (y[i] > 0) divergence += y[i] * std::log(y[i] / std::max(q[i], kProbabilityMin));
    }
    return divergence;
  }
  const std::vector<double> log_y = LogSoftmax(y), log_q = LogSoftmax(q);
  for (size_t i = 0; i < y.size(); ++i) divergence += std::exp(log_y[i]) * (log_y[i] - log_q[i]);
  return divergence;
}

absl::Status Fidelity::Bind(const std::vector<TensorInfo>& /*inputs*/, const std::vector<TensorInfo>& outputs) {
  outputs_.clear();
  if (!options_.output.empty()) {
    LATHE_ASSIGN_OR_RETURN(const size_t index, FindTensor(outputs, options_.output, "output", "output"));
    outputs_.push_back({index, RowLength(outputs[index])});
    return absl::OkStatus();
  }
  for (size_t i = 0; i < outputs.size(); ++i) outputs_.push_back({i, RowLength(outputs[i])});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> Fidelity::Score(const MetricSample& sample) const {
  double agreeing = 0, rows = 0, signal = 0, other = 0, product = 0, noise = 0, divergence = 0;
  for (const Output& output : outputs_) {
    const std::vector<double>&y = sample.reference[output.index], &q = sample.outputs[output.index];
    for (size_t i = 0; i < y.size(); ++i) {
      signal += y[i] * y[i];
      other += q[i] * q[i];
      product += y[i] * q[i];
      noise += (y[i] - q[i]) * (y[i] - q[i]);
    }
    if (output.row_length < 2) continue;
    for (size_t begin = 0; begin + output.row_length <= y.size(); begin += output.row_length) {
      const auto y_row = absl::MakeConstSpan(y).subspan(begin, output.row_length);
      const auto q_row = absl::MakeConstSpan(q).subspan(begin, output.row_length);
      agreeing += ArgMax(y_row) == ArgMax(q_row);
      divergence += KlDivergence(y_row, q_row);
      ++rows;
    }
  }
  const double length = std::sqrt(signal * other);
  const double cosine = length > 0 ? product / length : (signal == other ? 1 : 0);
  return std::vector<double>{agreeing, rows, signal, noise, cosine, 1, divergence};
}

std::unique_ptr<MetricTotal> Fidelity::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<SumTotal>(std::move(scores), 7, [](absl::Span<const double> sums) {
    return std::vector<double>{sums[0] / sums[1], Sqnr(sums[2], sums[3]), sums[4] / sums[5], sums[6] / sums[1]};
  });
}

}  // namespace lathe
