#include "runtime/calibrate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/find_range.h"

namespace lathe {

namespace {

constexpr TensorRange kNothingSeen = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};

// How many channels of `observation` are told apart: the last dimension, where the values are whole rows of it and more
// than one.
size_t CountChannels(const Observation& observation) {
  if (observation.shape.size() < 2) return 0;
  const auto channels = static_cast<size_t>(std::max(observation.shape.back(), 1));
  return channels <= kChannelsMax && observation.values.size() % channels == 0 ? channels : 0;
}

// What one thread has seen.
class Collector {
 public:
  Collector(const Model& model, const CalibrateOptions& options, size_t samples_max)
      : model_(model), channels_(options.channels), samples_max_(samples_max) {}

  absl::Status Observe(const Observation& observation) {
    TensorStats* stats = seen_.stats.FindMutable(observation.id);
    if (stats == nullptr) stats = Start(observation);
    // A dynamic shape may change between samples: then the channels are not the same ones.
    if (stats->channels.size() != (channels_ ? CountChannels(observation) : 0)) stats->channels.clear();
    TensorRange range;
    const bool finite = stats->channels.empty()
                            ? FindRange(observation.values, &range)
                            : FindChannelRanges(observation.values, absl::MakeSpan(stats->channels), &range);
    if (!finite) {
      const Tensor& tensor = model_.subgraphs[0].tensor(observation.id);
      return MakeError(absl::StatusCode::kInvalidArgument, "ACTIVATION_NOT_FINITE",
                       absl::StrFormat("%s becomes NaN or infinite on sample %d: check the data's range (--scale, "
                                       "--mean, --input-range) and the model",
                                       Where(SubgraphId(0), observation.id, tensor), observation.sample));
    }
    stats->range = {std::min(stats->range.min, range.min), std::max(stats->range.max, range.max)};
    if (observation.sample < samples_max_) seen_.by_sample.Add(observation.id, {observation.sample, range});
    return absl::OkStatus();
  }

  Calibration Take() { return std::move(seen_); }

 private:
  TensorStats* Start(const Observation& observation) {
    const size_t channels = channels_ ? CountChannels(observation) : 0;
    seen_.stats.Set(observation.id, {kNothingSeen, std::vector<TensorRange>(channels, kNothingSeen)});
    return seen_.stats.FindMutable(observation.id);
  }

  const Model& model_;
  const bool channels_;
  const size_t samples_max_;
  Calibration seen_;
};

}  // namespace

absl::StatusOr<Calibration> Calibrate(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                      const CalibrateOptions& options) {
  const size_t samples_max = options.by_sample_bytes_max / sizeof(SampleRange) / std::max<size_t>(tensors.size(), 1);
  std::vector<Collector> collectors(static_cast<size_t>(options.threads), Collector(model, options, samples_max));
  LATHE_RETURN_IF_ERROR(ObserveActivations(model, tensors, samples, options, [&](int worker) -> Observer {
    return [&collector = collectors[static_cast<size_t>(worker)]](const Observation& observation) {
      return collector.Observe(observation);
    };
  }));
  Calibration merged;
  for (Collector& collector : collectors) {
    Calibration seen = collector.Take();
    merged.stats.Merge(seen.stats);
    merged.by_sample.Merge(std::move(seen.by_sample));
  }
  merged.by_sample.Sort();
  return merged;
}

}  // namespace lathe
