#include "runtime/metrics/sum_total.h"

#include <utility>

namespace lathe {

SumTotal::SumTotal(std::vector<std::vector<double>> scores, size_t columns, Finish finish)
    : columns_(columns), finish_(std::move(finish)) {
  values_.reserve(scores.size() * columns);
  for (const std::vector<double>& score : scores) values_.insert(values_.end(), score.begin(), score.end());
}

std::vector<double> SumTotal::Figures(absl::Span<const uint32_t> weights) const {
  std::vector<double> sums(columns_, 0);
  for (size_t sample = 0; sample < weights.size(); ++sample) {
    if (weights[sample] == 0) continue;
    for (size_t i = 0; i < columns_; ++i) sums[i] += weights[sample] * values_[sample * columns_ + i];
  }
  return finish_(sums);
}

}  // namespace lathe
