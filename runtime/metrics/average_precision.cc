#include "runtime/metrics/average_precision.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace lathe {
namespace {

constexpr size_t kLabelValues = 5;
constexpr size_t kThresholds = 10;
constexpr size_t kRecallPoints = 101;

// numpy's linspace(.5, .95, 10), bit by bit: pycocotools compares with it.
double OverlapThreshold(size_t i) {
  constexpr double kFirst = 0.5, kLast = 0.95;
  if (i + 1 == kThresholds) return kLast;
  return static_cast<double>(i) * ((kLast - kFirst) / static_cast<double>(kThresholds - 1)) + kFirst;
}

double RecallPoint(size_t i) { return i + 1 == kRecallPoints ? 1.0 : static_cast<double>(i) * 0.01; }

absl::StatusOr<std::vector<DetectedBox>> Truths(absl::Span<const double> labels) {
  if (labels.size() % kLabelValues != 0) {
    return BadLabels(
        absl::StrFormat("expected rows of 5 labels (class, x1, y1, x2, y2), found %d values a sample", labels.size()));
  }
  std::vector<DetectedBox> truths;
  for (size_t i = 0; i < labels.size(); i += kLabelValues) {
    if (labels[i] < 0) continue;
    if (labels[i] != std::floor(labels[i])) return BadLabels(absl::StrFormat("a box has class %g", labels[i]));
    const DetectedBox box = {labels[i], 1, labels[i + 1], labels[i + 2], labels[i + 3], labels[i + 4]};
    if (box.x2 < box.x1 || box.y2 < box.y1) {
      return BadLabels(
          absl::StrFormat("a box ends before it begins: x %g .. %g, y %g .. %g", box.x1, box.x2, box.y1, box.y2));
    }
    truths.push_back(box);
  }
  return truths;
}

// For each box, best first, bit t: it found a truth of its class that no better box had, by threshold t. COCOeval's
// matching: the truth of largest overlap that is left, of equal ones the last.
std::vector<uint32_t> Match(const std::vector<DetectedBox>& boxes, const std::vector<DetectedBox>& truths) {
  std::vector<uint32_t> matches(boxes.size(), 0), taken(truths.size(), 0);
  for (size_t b = 0; b < boxes.size(); ++b) {
    std::vector<double> overlaps;
    for (const DetectedBox& truth : truths) {
      overlaps.push_back(truth.kind == boxes[b].kind ? BoxOverlap(boxes[b], truth) : -1);
    }
    for (size_t t = 0; t < kThresholds; ++t) {
      double best = std::min(OverlapThreshold(t), 1 - 1e-10);
      size_t found = truths.size();
      for (size_t g = 0; g < truths.size(); ++g) {
        if ((taken[g] >> t & 1u) != 0 || overlaps[g] < best) continue;
        best = overlaps[g];
        found = g;
      }
      if (found == truths.size()) continue;
      taken[found] |= 1u << t;
      matches[b] |= 1u << t;
    }
  }
  return matches;
}

struct ClassBoxes {
  struct Box {
    double score;
    uint32_t image, matches;
  };
  std::vector<Box> boxes;                           // best first; of equal ones the earlier image's
  std::vector<std::pair<uint32_t, double>> truths;  // image, how many
};

class PrecisionTotal : public MetricTotal {
 public:
  explicit PrecisionTotal(const std::vector<std::vector<double>>& scores) {
    std::map<double, ClassBoxes> classes;
    for (size_t image = 0; image < scores.size(); ++image) {
      const std::vector<double>& score = scores[image];
      const size_t boxes_at = 1 + 2 * static_cast<size_t>(score[0]);
      for (size_t i = 1; i < boxes_at; i += 2) {
        classes[score[i]].truths.emplace_back(static_cast<uint32_t>(image), score[i + 1]);
      }
      for (size_t i = boxes_at; i < score.size(); i += 3) {
        classes[score[i]].boxes.push_back(
            {score[i + 1], static_cast<uint32_t>(image), static_cast<uint32_t>(score[i + 2])});
      }
    }
    for (auto& [kind, boxes] : classes) {
      if (boxes.truths.empty()) continue;  // COCO averages over the classes that the labels have
      std::stable_sort(boxes.boxes.begin(), boxes.boxes.end(),
                       [](const auto& a, const auto& b) { return a.score > b.score; });
      cost_ += 3 * kThresholds * boxes.boxes.size();
      classes_.push_back(std::move(boxes));
    }
  }

  std::vector<double> Figures(absl::Span<const uint32_t> weights) const override {
    double first = 0, all = 0, counted = 0;
    for (const ClassBoxes& boxes : classes_) {
      double truths = 0;
      for (const auto& [image, count] : boxes.truths) truths += weights[image] * count;
      if (truths == 0) continue;  // none of them in this resample
      for (size_t t = 0; t < kThresholds; ++t) {
        const double average = AverageAt(boxes, t, truths, weights);
        if (t == 0) first += average;
        all += average / kThresholds;
      }
      ++counted;
    }
    return {first / counted, all / counted};
  }

  uint64_t cost() const override { return cost_; }

 private:
  static double AverageAt(const ClassBoxes& boxes, size_t threshold, double truths,
                          absl::Span<const uint32_t> weights) {
    std::vector<double> recall, precision;
    recall.reserve(boxes.boxes.size());
    precision.reserve(boxes.boxes.size());
    double hits = 0, found = 0;
    for (const ClassBoxes::Box& box : boxes.boxes) {
      const double weight = weights[box.image];
      if (weight == 0) continue;
      found += weight;
      if ((box.matches >> threshold & 1u) != 0) hits += weight;
      recall.push_back(hits / truths);
      precision.push_back(hits / (found + std::numeric_limits<double>::epsilon()));
    }
    for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    for (size_t point = 0, i = 0; point < kRecallPoints; ++point) {
      while (i < recall.size() && recall[i] < RecallPoint(point)) ++i;
      if (i == recall.size()) break;
      sum += precision[i];
    }
    return sum / kRecallPoints;
  }

  std::vector<ClassBoxes> classes_;
  uint64_t cost_ = 0;
};

}  // namespace

absl::Status AveragePrecision::Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) {
  LATHE_ASSIGN_OR_RETURN(decoder_, DetectionDecoder::Make(inputs, outputs, options_));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> AveragePrecision::Score(const MetricSample& sample) const {
  LATHE_ASSIGN_OR_RETURN(const std::vector<DetectedBox> truths, Truths(sample.labels));
  const std::vector<DetectedBox> boxes = decoder_->Decode(sample.outputs);
  const std::vector<uint32_t> matches = Match(boxes, truths);
  std::map<double, double> counts;
  for (const DetectedBox& truth : truths) ++counts[truth.kind];
  std::vector<double> score = {static_cast<double>(counts.size())};
  for (const auto& [kind, count] : counts) score.insert(score.end(), {kind, count});
  for (size_t i = 0; i < boxes.size(); ++i) {
    score.insert(score.end(), {boxes[i].kind, boxes[i].score, static_cast<double>(matches[i])});
  }
  return score;
}

std::unique_ptr<MetricTotal> AveragePrecision::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<PrecisionTotal>(scores);
}

std::vector<std::vector<double>> AveragePrecision::Answers(const MetricSample& sample) const {
  std::vector<std::vector<double>> rows;
  for (const DetectedBox& box : decoder_->Decode(sample.outputs)) {
    rows.push_back({box.kind, box.score, box.x1, box.y1, box.x2, box.y2});
  }
  return rows;
}

}  // namespace lathe
