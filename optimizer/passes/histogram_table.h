#ifndef LATHE_OPTIMIZER_PASSES_HISTOGRAM_TABLE_H_
#define LATHE_OPTIMIZER_PASSES_HISTOGRAM_TABLE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "optimizer/math/histogram.h"
#include "optimizer/model/ids.h"

namespace lathe {

// How the values of one float activation are distributed. Of large tensors only a part is counted.
struct TensorHistogram {
  math::Histogram histogram;
  uint64_t elements = 0;  // that the counted values stand for
};

// By tensor of subgraph 0.
class HistogramTable {
 public:
  // Null: the tensor was not observed, or has one value only.
  const TensorHistogram* Find(TensorId id) const {
    if (!id.valid() || id.index() >= tensors_.size() || !tensors_[id.index()]) return nullptr;
    return &*tensors_[id.index()];
  }
  // One more than the index of the last tensor that may have one.
  size_t size() const { return tensors_.size(); }
  TensorHistogram* FindMutable(TensorId id) { return const_cast<TensorHistogram*>(Find(id)); }

  void Set(TensorId id, TensorHistogram histogram) {
    if (tensors_.size() <= id.index()) tensors_.resize(id.index() + 1);
    tensors_[id.index()] = std::move(histogram);
  }

 private:
  std::vector<std::optional<TensorHistogram>> tensors_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_HISTOGRAM_TABLE_H_
