#include "runtime/collect_histograms.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "runtime/sample_subset.h"

namespace lathe {

namespace {

// Long enough to pass over the channels of most tensors at least once.
constexpr size_t kRunLength = 256;

void Count(absl::Span<const float> values, size_t values_max, TensorHistogram& counted) {
  counted.elements += values.size();
  const size_t runs = std::max<size_t>(values_max / kRunLength, 1);
  if (values.size() <= runs * kRunLength) return counted.histogram.Add(values);
  for (size_t run = 0; run < runs; ++run) {
    counted.histogram.Add(values.subspan(run * (values.size() - kRunLength) / runs, kRunLength));
  }
}

std::vector<size_t> EvenlySpaced(size_t count, size_t most) {
  std::vector<size_t> chosen(std::min(count, most));
  for (size_t i = 0; i < chosen.size(); ++i) chosen[i] = i * count / chosen.size();
  return chosen;
}

// Where one thread starts: nothing counted.
HistogramTable EmptyHistograms(const std::vector<TensorId>& tensors, const ActivationStats& stats) {
  HistogramTable table;
  for (TensorId id : tensors) {
    const TensorStats* seen = stats.Find(id);
    if (seen == nullptr || seen->range.min == seen->range.max) continue;
    table.Set(id, {math::Histogram(seen->range.min, seen->range.max)});
  }
  return table;
}

}  // namespace

absl::StatusOr<HistogramTable> CollectHistograms(const Model& model, const std::vector<TensorId>& tensors,
                                                 const ActivationStats& stats, SampleSource& samples,
                                                 const HistogramOptions& options) {
  std::vector<TensorId> counted;
  const HistogramTable empty = EmptyHistograms(tensors, stats);
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(counted),
               [&](TensorId id) { return empty.Find(id) != nullptr; });
  LATHE_ASSIGN_OR_RETURN(const auto chosen,
                         SelectSamples(samples, EvenlySpaced(samples.size(), options.samples_max), 0));
  std::vector<HistogramTable> tables(static_cast<size_t>(options.threads), empty);
  LATHE_RETURN_IF_ERROR(ObserveActivations(model, counted, *chosen, options, [&](int worker) -> Observer {
    return [&table = tables[static_cast<size_t>(worker)], &options](const Observation& observation) {
      Count(observation.values, options.values_max, *table.FindMutable(observation.id));
      return absl::OkStatus();
    };
  }));
  HistogramTable merged = std::move(tables[0]);
  for (size_t i = 1; i < tables.size(); ++i) {
    for (TensorId id : counted) {
      merged.FindMutable(id)->histogram.Merge(tables[i].Find(id)->histogram);
      merged.FindMutable(id)->elements += tables[i].Find(id)->elements;
    }
  }
  return merged;
}

}  // namespace lathe
