#ifndef LATHE_OPTIMIZER_PASSES_ACTIVATION_STATS_H_
#define LATHE_OPTIMIZER_PASSES_ACTIVATION_STATS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "optimizer/model/ids.h"
#include "optimizer/passes/ranges.h"

namespace lathe {

// What calibration saw of one float activation over all samples.
struct TensorStats {
  TensorRange range;
  // One for each index of the last dimension (the channels of NHWC data and of [batch, features]); empty where the
  // tensor has no such dimension or too many.
  std::vector<TensorRange> channels;
};

// By tensor of subgraph 0. Merges by minimum and maximum, so the result depends neither on the order of samples nor on
// how many threads saw them.
class ActivationStats {
 public:
  // Null: the tensor was not observed.
  const TensorStats* Find(TensorId id) const {
    if (!id.valid() || id.index() >= tensors_.size() || !tensors_[id.index()]) return nullptr;
    return &*tensors_[id.index()];
  }
  TensorStats* FindMutable(TensorId id) { return const_cast<TensorStats*>(Find(id)); }

  void Set(TensorId id, TensorStats stats) {
    if (tensors_.size() <= id.index()) tensors_.resize(id.index() + 1);
    tensors_[id.index()] = std::move(stats);
  }
  // Channels merge when both have the same number of them, and are dropped otherwise.
  void Merge(const ActivationStats& other);

  // The ranges alone.
  RangeTable Ranges() const;

 private:
  std::vector<std::optional<TensorStats>> tensors_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_ACTIVATION_STATS_H_
