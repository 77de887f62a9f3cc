#ifndef LATHE_OPTIMIZER_PASSES_RANGES_H_
#define LATHE_OPTIMIZER_PASSES_RANGES_H_

#include <algorithm>
#include <optional>
#include <vector>

#include "optimizer/model/ids.h"

namespace lathe {

struct TensorRange {
  float min = 0, max = 0;
  bool operator==(const TensorRange&) const = default;
};

// The smallest and largest value that each tensor of subgraph 0 took over the calibration samples. Ranges merge by
// minimum and maximum, so the result does not depend on the order of samples or on how many threads saw them.
class RangeTable {
 public:
  // REQUIRES: lo <= hi, both finite.
  void Merge(TensorId id, float lo, float hi) {
    if (ranges_.size() <= id.index()) ranges_.resize(id.index() + 1);
    std::optional<TensorRange>& range = ranges_[id.index()];
    range = range ? TensorRange{std::min(range->min, lo), std::max(range->max, hi)} : TensorRange{lo, hi};
  }
  void Merge(const RangeTable& other) {
    for (size_t i = 0; i < other.ranges_.size(); ++i) {
      if (other.ranges_[i]) Merge(TensorId(i), other.ranges_[i]->min, other.ranges_[i]->max);
    }
  }
  // Null: the tensor was not observed.
  const TensorRange* Find(TensorId id) const {
    if (!id.valid() || id.index() >= ranges_.size() || !ranges_[id.index()]) return nullptr;
    return &*ranges_[id.index()];
  }

 private:
  std::vector<std::optional<TensorRange>> ranges_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_RANGES_H_
