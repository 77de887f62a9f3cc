#include "runtime/metrics/roc_auc.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lathe {
namespace {

// Every column's samples in order of their scores.
class RocTotal : public MetricTotal {
 public:
  RocTotal(const std::vector<std::vector<double>>& scores, size_t columns) {
    for (size_t column = 0; column < columns; ++column) {
      std::vector<Entry>& entries = columns_.emplace_back();
      for (size_t i = 0; i < scores.size(); ++i) {
        entries.push_back({scores[i][column], static_cast<uint32_t>(i), scores[i][columns + column] > 0});
      }
      std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.score != b.score ? a.score < b.score : a.sample < b.sample;
      });
    }
  }

  std::vector<double> Figures(absl::Span<const uint32_t> weights) const override {
    double sum = 0, counted = 0;
    for (const std::vector<Entry>& entries : columns_) {
      const double area = Area(entries, weights);
      if (std::isnan(area)) continue;  // all samples of this resample are on one side
      sum += area;
      ++counted;
    }
    return {sum / counted};
  }

  uint64_t cost() const override { return columns_.size() * columns_[0].size(); }

 private:
  struct Entry {
    double score;
    uint32_t sample;
    bool positive;
  };

  // The share of pairs of a positive and a negative sample in which the positive one has the larger score.
  static double Area(const std::vector<Entry>& entries, absl::Span<const uint32_t> weights) {
    double pairs = 0, negatives = 0, positives = 0;
    for (size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
      double up = 0, down = 0;
      for (; end < entries.size() && entries[end].score == entries[begin].score; ++end) {
        (entries[end].positive ? up : down) += weights[entries[end].sample];
      }
      pairs += up * (negatives + down / 2);
      positives += up;
      negatives += down;
    }
    return pairs / (positives * negatives);
  }

  std::vector<std::vector<Entry>> columns_;
};

}  // namespace

absl::Status RocAuc::Bind(const std::vector<TensorInfo>& /*inputs*/, const std::vector<TensorInfo>& outputs) {
  LATHE_ASSIGN_OR_RETURN(output_, FindTensor(outputs, options_.output, "output", "output"));
  values_ = static_cast<size_t>(outputs[output_].elements);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> RocAuc::Score(const MetricSample& sample) const {
  const std::vector<double>& values = sample.outputs[output_];
  std::vector<double> score = values;
  if (values_ == 2) score = {values[1] - values[0]};
  const size_t classes = std::max<size_t>(values_, 2);
  if (sample.labels.size() == 1) {
    LATHE_ASSIGN_OR_RETURN(const size_t label, ClassLabel(sample.labels[0], classes));
    if (columns() == 1) {
      score.push_back(label == 1);
    } else {
      for (size_t i = 0; i < classes; ++i) score.push_back(i == label);
    }
    return score;
  }
  if (values_ < 3 || sample.labels.size() != values_) {
    return BadLabels(
        absl::StrFormat("expected one label a sample, or one for each of the %d values of the output, found %d",
                        values_, sample.labels.size()));
  }
  for (double label : sample.labels) {
    LATHE_ASSIGN_OR_RETURN(const size_t positive, ClassLabel(label, 2));
    score.push_back(static_cast<double>(positive));
  }
  return score;
}

std::unique_ptr<MetricTotal> RocAuc::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<RocTotal>(scores, columns());
}

}  // namespace lathe
