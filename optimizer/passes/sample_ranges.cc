#include "optimizer/passes/sample_ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
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

float Reach(const TensorRange& range) { return std::max(std::abs(range.min), std::abs(range.max)); }

UsualSamples FindUsual(const std::vector<SampleRange>& samples) {
  UsualSamples usual;
  float bound = std::numeric_limits<float>::infinity();
  if (samples.size() >= kUsualSamplesMin) {
    std::vector<float> reaches;
    for (const SampleRange& sample : samples) reaches.push_back(Reach(sample.range));
    std::sort(reaches.begin(), reaches.end());
    usual.reach = reaches[reaches.size() - 1 - std::max<size_t>(reaches.size() / 20, 1)];
    if (usual.reach > 0) bound = kOutlierRatio * usual.reach;
  }
  usual.range = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (const SampleRange& sample : samples) {
    if (Reach(sample.range) > bound) continue;
    usual.range = {std::min(usual.range.min, sample.range.min), std::max(usual.range.max, sample.range.max)};
  }
  return usual;
}

}  // namespace lathe
