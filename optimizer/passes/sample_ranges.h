#ifndef LATHE_OPTIMIZER_PASSES_SAMPLE_RANGES_H_
#define LATHE_OPTIMIZER_PASSES_SAMPLE_RANGES_H_

#include <cstddef>
#include <vector>

#include "optimizer/model/ids.h"
#include "optimizer/passes/ranges.h"

namespace lathe {

struct SampleRange {
  size_t sample;  // its index in the data
  TensorRange range;
  bool operator==(const SampleRange&) const = default;
};

// The range of each float activation of subgraph 0 on each calibration sample: what tells a sample that is unlike the
// others, and what a moving average needs.
class SampleRanges {
 public:
  void Add(TensorId id, SampleRange range) {
    if (tensors_.size() <= id.index()) tensors_.resize(id.index() + 1);
    tensors_[id.index()].push_back(range);
  }
  // Takes over what another has seen: no sample of a tensor may be in both.
  void Merge(SampleRanges other);
  // In the order of samples, which Merge and Add do not keep.
  void Sort();

  // Empty: the tensor was not observed.
  const std::vector<SampleRange>& Find(TensorId id) const {
    static const std::vector<SampleRange> none;
    return id.valid() && id.index() < tensors_.size() ? tensors_[id.index()] : none;
  }

 private:
  std::vector<std::vector<SampleRange>> tensors_;
};

// The range of samples that resemble each other: that of all when there are fewer than kUsualSamplesMin, else of those
// that reach no further than kOutlierRatio times what the others reach, when the largest twentieth of them (at least
// one) is left aside. On data that fits a model the largest sample stays below 2 to 3 times. REQUIRES:
// !samples.empty().
struct UsualSamples {
  TensorRange range;
  float reach = 0;  // largest |value| of the others; 0: too few samples to say
};
UsualSamples FindUsual(const std::vector<SampleRange>& samples);

inline constexpr float kOutlierRatio = 4;
inline constexpr size_t kUsualSamplesMin = 8;

// Largest |value|.
float Reach(const TensorRange& range);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SAMPLE_RANGES_H_
