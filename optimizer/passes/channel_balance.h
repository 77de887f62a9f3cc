#ifndef LATHE_OPTIMIZER_PASSES_CHANNEL_BALANCE_H_
#define LATHE_OPTIMIZER_PASSES_CHANNEL_BALANCE_H_

#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/scale_chains.h"

namespace lathe {

// Finds the factor that each group of channels is divided by, without touching the model. The model and the chains must
// outlive it.
class ChannelBalance {
 public:
  ChannelBalance(const Model& model, const ScaleChains& chains);

  // Cross-layer equalization: sweeps over the components, s = sqrt(r1 / r2) for each group with r1 (r2) the largest
  // weight over all that write (read) it. The geometric mean over a component stays 1, so that factors which do nothing
  // for quantization are not walked along the model. Ends when no factor moves by 0.1 % or after 100 sweeps.
  void BalanceWeights();

  // One pass s = a^alpha / r2^(1 - alpha) on top of the factors so far. Depthwise convolutions, whose weights have a
  // scale for each input channel, take any factor for free: a group that only they read gets s = a.
  void BalanceActivations(const ActivationStats& stats, float alpha);

  // The factors; all 1 where none is far enough from 1 to be worth it. Not rounded to powers of two, which would keep
  // every bit of the outputs but costs 1 to 2 dB of int8 (fm_mnv1relu 34.0 dB against 35.8, det_yolo 15.5
  // against 16.8).
  std::vector<float> Divisors() const;

 private:
  struct Component {
    std::vector<size_t> groups;
    std::vector<size_t> writers, readers;  // indices in ScaleChains::weights
    bool anchored = false;                 // shares an activation with channels that keep their scale
  };

  void BuildComponents();
  void MeasureWriters(const Component& component);
  void MeasureReaders(const Component& component, bool depthwise_too);
  std::vector<float> FactorsOf(const std::vector<int32_t>& groups, bool inverse) const;
  float Sweep(const Component& component);
  void Multiply(const Component& component, std::vector<float> logs, bool center, float* moved);

  const Model& model_;
  const ScaleChains& chains_;
  std::vector<std::vector<float>> owned_;         // by weights: LargestOverTaps where there are several taps
  std::vector<absl::Span<const float>> largest_;  // by weights
  std::vector<Component> components_;
  std::vector<float> factors_;         // by group
  std::vector<float> written_, read_;  // by group: largest weight on either side, with the factors
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHANNEL_BALANCE_H_
