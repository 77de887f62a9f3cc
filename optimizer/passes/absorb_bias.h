#ifndef LATHE_OPTIMIZER_PASSES_ABSORB_BIAS_H_
#define LATHE_OPTIMIZER_PASSES_ABSORB_BIAS_H_

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/pass.h"

namespace lathe {

// How activations changed: channel c of tensor t in the new model is the old one minus shifts[t][c]. Ids are those of
// the new model, which are those of the old one.
struct BiasAbsorption {
  int64_t shifted_tensors = 0;
  std::map<TensorId, std::vector<float>> shifts;
  // Of listed tensors: first holds the values of second in another shape, so both have one range.
  std::vector<std::pair<TensorId, TensorId>> same_values;
};

// Takes a constant off channels of activations of subgraph 0 and adds what it did to the biases that come after (Nagel
// et al., arXiv 1906.04721, section 4.1.3), so that the tensor's range is as narrow as its widest channel. A channel
// that a linear layer writes is moved to the middle of what calibration saw, one behind a fused RELU by its smallest
// value if that is above 0. Only where outputs stay the same: every reader, through pooling, means, resizing, reshaping
// and sums, is a layer whose window never meets padding (1 x 1, VALID, or fully connected) and that has a constant
// bias. Only tensors that get at least 5 % narrower; a second run with the stats of the new model changes nothing.
//
// Outputs are the same to about 1e-6 of the largest; behind RELU for data like the calibration data. Whether int8 gains
// is for a measurement to say: sums of shifted tensors may get wider. Tensor ids stay valid, as for Equalize.
// REQUIRES: the model verifies; stats are of this very model.
absl::StatusOr<BiasAbsorption> AbsorbHighBias(Model& model, const ActivationStats& stats);

// What calibrating the new model on the same samples would see, exact up to rounding; where channels were not observed,
// a range that holds it.
void ApplyToStats(const BiasAbsorption& absorption, ActivationStats& stats);

// AbsorbHighBias with the context's stats. Inputs, outputs and signatures keep names, types and order. Change::count =
// activations shifted. FailedPrecondition STATS_MISSING: no stats.
class AbsorbBiasPass : public Pass {
 public:
  std::string_view name() const override { return "absorb-high-bias"; }
  bool NeedsStats() const override { return true; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_ABSORB_BIAS_H_
