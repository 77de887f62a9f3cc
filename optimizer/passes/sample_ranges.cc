#include "optimizer/passes/sample_ranges.h"

#include <algorithm>
#include <utility>

namespace lathe {

void SampleRanges::Merge(SampleRanges other) {
  if (tensors_.size() < other.tensors_.size()) tensors_.resize(other.tensors_.size());
  for (size_t i = 0; i < other.tensors_.size(); ++i) {
    tensors_[i].insert(tensors_[i].end(), other.tensors_[i].begin(), other.tensors_[i].end());
  }
}

void SampleRanges::Sort() {
  for (std::vector<SampleRange>& ranges : tensors_) {
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.sample < b.sample; });
  }
}

}  // namespace lathe
