#include "optimizer/passes/clipping_histograms.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "optimizer/math/clipping_error.h"

namespace lathe {
namespace {

struct Fate {
  TensorId id;
  math::AffineParams params;
  math::ClippingError error;

  // Of signal over error, so that tensors without error come last.
  double ratio() const { return error.error > 0 ? error.signal / error.error : HUGE_VAL; }
  bool IsWorseThan(const Fate& other) const {
    return std::tuple(-error.clipped_share, ratio(), id) <
           std::tuple(-other.error.clipped_share, other.ratio(), other.id);
  }
};

// `params` gives the grid of a tensor, or nothing: then the tensor is left out.
template <typename Params>
std::vector<Fate> FindWorst(const HistogramTable& histograms, const Params& params, size_t count) {
  std::vector<Fate> fates;
  for (size_t i = 0; i < histograms.size(); ++i) {
    const TensorHistogram* found = histograms.Find(TensorId(i));
    if (found == nullptr) continue;
    const std::optional<math::AffineParams> grid = params(TensorId(i));
    if (grid) fates.push_back({TensorId(i), *grid, math::MeasureClipping(found->histogram, *grid)});
  }
  std::sort(fates.begin(), fates.end(), [](const Fate& a, const Fate& b) { return a.IsWorseThan(b); });
  fates.resize(std::min(fates.size(), count));
  return fates;
}

// Fewer bins of the same values; exact zeros in that of 0.
std::vector<uint32_t> MergeBins(const math::Histogram& histogram) {
  static_assert(math::Histogram::kBins % kClippingBins == 0);
  std::vector<uint64_t> sums(kClippingBins);
  for (size_t bin = 0; bin < math::Histogram::kBins; ++bin) {
    sums[bin * kClippingBins / math::Histogram::kBins] += histogram.count(bin);
  }
  const double zero = -double{histogram.lo()} / (double{histogram.hi()} - histogram.lo()) * kClippingBins;
  sums[static_cast<size_t>(std::clamp(zero, 0.0, double{kClippingBins - 1}))] += histogram.zeros();
  return {sums.begin(), sums.end()};
}

ClippingHistogram Describe(const Fate& fate, const std::string& name, const math::Histogram& histogram) {
  ClippingHistogram described;
  described.name = name;
  described.min = histogram.lo();
  described.max = histogram.hi();
  described.chosen_min = math::LowestValue(fate.params);
  described.chosen_max = math::HighestValue(fate.params);
  described.scale = fate.params.scale;
  described.zero_point = fate.params.zero_point;
  described.clipped_share = fate.error.clipped_share;
  if (fate.error.signal > 0 && fate.error.error > 0) described.sqnr_db = 10 * std::log10(fate.ratio());
  described.values = histogram.total();
  described.counts = MergeBins(histogram);
  return described;
}

}  // namespace

HistogramTable KeepWorstClipped(HistogramTable histograms, const RangeTable& ranges, size_t count) {
  const auto params = [&](TensorId id) -> std::optional<math::AffineParams> {
    const TensorRange* range = ranges.Find(id);
    if (range == nullptr) return std::nullopt;
    return math::ChooseInt8Params(range->min, range->max);
  };
  HistogramTable kept;
  for (const Fate& fate : FindWorst(histograms, params, count)) {
    kept.Set(fate.id, std::move(*histograms.FindMutable(fate.id)));
  }
  return kept;
}

std::vector<ClippingHistogram> DescribeClipping(const Model& model, const HistogramTable& histograms,
                                                const IntegerPlan& plan) {
  const auto params = [&](TensorId id) { return plan.Find(id, 8); };
  std::vector<ClippingHistogram> described;
  for (const Fate& fate : FindWorst(histograms, params, kClippingHistograms)) {
    described.push_back(Describe(fate, model.subgraphs[0].tensor(fate.id).name, histograms.Find(fate.id)->histogram));
  }
  return described;
}

}  // namespace lathe
