#include "optimizer/passes/activation_stats.h"

#include <algorithm>
#include <utility>

namespace lathe {
namespace {

void Widen(TensorRange& range, const TensorRange& by) {
  range.min = std::min(range.min, by.min);
  range.max = std::max(range.max, by.max);
}

}  // namespace

void ActivationStats::Merge(const ActivationStats& other) {
  if (tensors_.size() < other.tensors_.size()) tensors_.resize(other.tensors_.size());
  for (size_t i = 0; i < other.tensors_.size(); ++i) {
    const std::optional<TensorStats>& theirs = other.tensors_[i];
    std::optional<TensorStats>& ours = tensors_[i];
    if (!theirs) continue;
    if (!ours) {
      ours = theirs;
      continue;
    }
    Widen(ours->range, theirs->range);
    if (ours->channels.size() != theirs->channels.size()) ours->channels.clear();
    for (size_t c = 0; c < ours->channels.size(); ++c) Widen(ours->channels[c], theirs->channels[c]);
  }
}

RangeTable ActivationStats::Ranges() const {
  RangeTable ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i]) ranges.Merge(TensorId(i), tensors_[i]->range.min, tensors_[i]->range.max);
  }
  return ranges;
}

}  // namespace lathe
