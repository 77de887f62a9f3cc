#include "optimizer/passes/choose_ranges.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/parallel.h"
#include "optimizer/math/clip_range.h"
#include "optimizer/math/quantize.h"
#include "optimizer/model/uses.h"

namespace lathe {
namespace {

constexpr int kLevels = 255;  // steps of 8 bits
constexpr double kGainMin = 0.05;
constexpr std::array<double, 3> kPercentiles = {0.999, 0.9999, 0.99999};
constexpr double kPercentile = 0.9999;
constexpr float kMovingAverageKeeps = 0.9F;

constexpr std::pair<RangeAlgorithm, std::string_view> kNames[] = {
    {RangeAlgorithm::kBest, "best"},
    {RangeAlgorithm::kMinMax, "min-max"},
    {RangeAlgorithm::kPercentile, "percentile"},
    {RangeAlgorithm::kMinError, "min-error"},
    {RangeAlgorithm::kEntropy, "entropy"},
    {RangeAlgorithm::kMovingAverage, "moving-average"},
};

struct Candidate {
  RangeAlgorithm algorithm;
  math::ClipRange range;
};

TensorRange Narrow(math::ClipRange range) { return {static_cast<float>(range.lo), static_cast<float>(range.hi)}; }

// Tensors whose largest values are the answer, or sums in which an error of clipping adds up.
class ClipRules {
 public:
  explicit ClipRules(const Model& model) : graph_(model.subgraphs[0]), uses_(graph_) {
    may_clip_.assign(graph_.tensors.size(), true);
    for (TensorId id : graph_.outputs) may_clip_[id.index()] = false;
    for (size_t i = 0; i < graph_.tensors.size(); ++i) {
      if (model.IsConstant(graph_.tensors[i])) may_clip_[i] = false;
    }
    for (const Op& op : graph_.ops) {
      const bool sums = op.kind == OpKind::kSum || op.kind == OpKind::kMean || op.kind == OpKind::kCumsum;
      const bool answers = op.kind == OpKind::kSoftmax || op.kind == OpKind::kLogistic || op.kind == OpKind::kArgMax;
      if (sums && !op.outputs.empty()) Keep(op.outputs[0]);
      if (answers && !op.outputs.empty() && ReachesOutput(op.outputs[0])) Keep(op.input(0));
    }
  }

  bool MayClip(const ScaleGroup& group) const {
    return group.bits == 8 &&
           std::all_of(group.tensors.begin(), group.tensors.end(), [&](TensorId id) { return may_clip_[id.index()]; });
  }

 private:
  void Keep(TensorId id) {
    if (id.valid()) may_clip_[id.index()] = false;
  }

  // Through operators that only give the values another shape or type.
  bool ReachesOutput(TensorId id) const {
    while (id.valid() && !uses_.IsSubgraphOutput(id)) {
      if (uses_.consumers(id).size() != 1) return false;
      const Op& op = graph_.ops[uses_.consumers(id)[0].index()];
      const bool same = op.kind == OpKind::kReshape || op.kind == OpKind::kSqueeze || op.kind == OpKind::kExpandDims ||
                        op.kind == OpKind::kDequantize || op.kind == OpKind::kQuantize;
      if (!same || op.outputs.empty()) return false;
      id = op.outputs[0];
    }
    return id.valid();
  }

  const Subgraph& graph_;
  const UseMap uses_;
  std::vector<bool> may_clip_;  // by tensor
};

class Chooser {
 public:
  Chooser(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample,
          const HistogramTable& histograms, RangeAlgorithm algorithm)
      : model_(model),
        stats_(stats),
        by_sample_(by_sample),
        histograms_(histograms),
        algorithm_(algorithm),
        rules_(model) {}

  // Nothing when no member was observed.
  std::optional<RangeChoice> Choose(const ScaleGroup& group) const {
    const std::optional<TensorRange> seen = SeenBy(group);
    if (!seen) return std::nullopt;
    RangeChoice choice{group.tensors, RangeAlgorithm::kMinMax, *seen, *seen, std::nullopt, std::nullopt};
    if (algorithm_ == RangeAlgorithm::kMinMax || !rules_.MayClip(group)) return choice;
    if (algorithm_ == RangeAlgorithm::kMovingAverage) {
      choice.algorithm = algorithm_;
      choice.chosen = MovingAverage(group);
      return choice;
    }
    std::vector<math::Distribution::Part> parts;
    math::ClipRange limit;
    for (TensorId id : group.measured) {
      const TensorHistogram* histogram = histograms_.Find(id);
      if (histogram == nullptr) continue;
      const double counted = static_cast<double>(std::max<uint64_t>(histogram->histogram.total(), 1));
      parts.push_back({&histogram->histogram, static_cast<double>(histogram->elements) / counted});
      const TensorRange usual = UsualRange(id);
      limit = {std::min<double>(limit.lo, usual.min), std::max<double>(limit.hi, usual.max)};
    }
    if (!parts.empty()) ChooseBy(math::Distribution(parts, limit), choice);
    return choice;
  }

 private:
  std::optional<TensorRange> SeenBy(const ScaleGroup& group) const {
    std::optional<TensorRange> seen;
    const auto widen = [&](TensorRange by) {
      seen = seen ? TensorRange{std::min(seen->min, by.min), std::max(seen->max, by.max)} : by;
    };
    for (TensorId id : group.measured) {
      if (const TensorStats* stats = stats_.Find(id); stats != nullptr) widen(stats->range);
      const Tensor& tensor = model_.subgraphs[0].tensor(id);
      if (!model_.IsConstant(tensor) || tensor.type != TensorType::kFloat32) continue;
      const math::MinMax range = math::FindMinMax(model_.FloatData(tensor));
      widen({range.lo, range.hi});
    }
    return seen;
  }

  // REQUIRES: the tensor was observed.
  TensorRange UsualRange(TensorId id) const {
    const std::vector<SampleRange>& samples = by_sample_.Find(id);
    return samples.empty() ? stats_.Find(id)->range : FindUsual(samples).range;
  }

  TensorRange MovingAverage(const ScaleGroup& group) const {
    std::optional<TensorRange> widest;
    for (TensorId id : group.measured) {
      const std::vector<SampleRange>& samples = by_sample_.Find(id);
      if (samples.empty()) continue;
      TensorRange average = samples[0].range;
      for (const SampleRange& sample : samples) {
        average.min = kMovingAverageKeeps * average.min + (1 - kMovingAverageKeeps) * sample.range.min;
        average.max = kMovingAverageKeeps * average.max + (1 - kMovingAverageKeeps) * sample.range.max;
      }
      widest = widest ? TensorRange{std::min(widest->min, average.min), std::max(widest->max, average.max)} : average;
    }
    return widest.value_or(*SeenBy(group));
  }

  std::vector<Candidate> Candidates(const math::Distribution& values) const {
    const bool all = algorithm_ == RangeAlgorithm::kBest;
    std::vector<Candidate> candidates;
    if (all) {
      for (double share : kPercentiles) candidates.push_back({RangeAlgorithm::kPercentile, values.Percentile(share)});
    }
    if (algorithm_ == RangeAlgorithm::kPercentile) candidates.push_back({algorithm_, values.Percentile(kPercentile)});
    if (all || algorithm_ == RangeAlgorithm::kMinError) {
      candidates.push_back({RangeAlgorithm::kMinError, values.LeastError(kLevels)});
    }
    if (all || algorithm_ == RangeAlgorithm::kEntropy) {
      candidates.push_back({RangeAlgorithm::kEntropy, values.LeastDivergence(kLevels)});
    }
    return candidates;
  }

  void ChooseBy(const math::Distribution& values, RangeChoice& choice) const {
    // The range that was seen need not hold 0; the one that is quantized does.
    const math::ClipRange whole = {std::min(choice.seen.min, 0.0F), std::max(choice.seen.max, 0.0F)};
    choice.min_max_error = choice.error = values.ErrorOf(whole, kLevels);
    // A fixed algorithm is the user's word; the best one must be worth it.
    double bound = algorithm_ == RangeAlgorithm::kBest ? *choice.min_max_error * (1 - kGainMin)
                                                       : std::numeric_limits<double>::infinity();
    for (const Candidate& candidate : Candidates(values)) {
      const double error = values.ErrorOf(candidate.range, kLevels);
      if (error >= bound) continue;
      bound = error;
      choice.algorithm = candidate.algorithm;
      choice.chosen = Narrow(candidate.range);
      choice.error = error;
    }
  }

  const Model& model_;
  const ActivationStats& stats_;
  const SampleRanges& by_sample_;
  const HistogramTable& histograms_;
  const RangeAlgorithm algorithm_;
  const ClipRules rules_;
};

}  // namespace

std::optional<RangeAlgorithm> FindRangeAlgorithm(std::string_view name) {
  for (const auto& [algorithm, its_name] : kNames) {
    if (name == its_name) return algorithm;
  }
  return std::nullopt;
}

std::string_view RangeAlgorithmName(RangeAlgorithm algorithm) {
  for (const auto& [its, name] : kNames) {
    if (its == algorithm) return name;
  }
  return "";
}

ChosenRanges ChooseRanges(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample,
                          const HistogramTable& histograms, absl::Span<const ScaleGroup> groups,
                          RangeAlgorithm algorithm) {
  const Chooser chooser(model, stats, by_sample, histograms, algorithm);
  std::vector<std::optional<RangeChoice>> choices(groups.size());
  ParallelFor(groups.size(), [&](size_t i) { choices[i] = chooser.Choose(groups[i]); });
  ChosenRanges chosen;
  std::vector<bool> in_group(model.subgraphs[0].tensors.size(), false);
  for (std::optional<RangeChoice>& choice : choices) {
    if (!choice) continue;
    for (TensorId id : choice->tensors) {
      // A tensor that two widths touch gets the wider of its ranges.
      chosen.ranges.Merge(id, choice->chosen.min, choice->chosen.max);
      in_group[id.index()] = true;
    }
    chosen.choices.push_back(*std::move(choice));
  }
  for (size_t i = 0; i < in_group.size(); ++i) {
    const TensorStats* seen = stats.Find(TensorId(i));
    if (!in_group[i] && seen != nullptr) chosen.ranges.Merge(TensorId(i), seen->range.min, seen->range.max);
  }
  return chosen;
}

}  // namespace lathe
