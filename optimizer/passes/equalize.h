#ifndef LATHE_OPTIMIZER_PASSES_EQUALIZE_H_
#define LATHE_OPTIMIZER_PASSES_EQUALIZE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/pass.h"

namespace lathe {

struct EqualizeSettings {
  // Balances the weights that write a channel with those that read it: s = sqrt(r1 / r2) (Nagel et al., arXiv
  // 1906.04721, equation 11), repeated over the whole model until nothing moves. Needs no data.
  bool cross_layer = true;
  // After it, one pass with s = a^alpha / r2^(1 - alpha) (Xiao et al., arXiv 2211.10438, equation 4), a = the largest
  // magnitude that calibration saw of the channel. In (0, 1]; 1 makes all channels of an activation equally wide.
  std::optional<float> alpha;
};

// How activations changed: channel c of tensor t in the new model is the old one divided by divisors[t][c]; tensors
// that are not listed kept their values. Ids are those of the new model, which are those of the old one.
struct Equalization {
  int64_t scaled_tensors = 0;  // activations of which some channel changed
  std::map<TensorId, std::vector<float>> divisors;
  // Of listed tensors: first holds the values of second in another shape, so both have one range.
  std::vector<std::pair<TensorId, TensorId>> same_values;
};

// Rescales channels of activations of subgraph 0 (scale_chains.h says which) so that each uses a like part of the range
// that its tensor is quantized to, and takes the factors up in the weights around them. Factors lie between 2^-13 and
// 2^13; outputs are the same to about 1e-6 of the largest. A second run finds nothing to do unless the first one
// stopped at its limit of sweeps.
//
// Tensor ids stay valid: constants are rewritten in place, and one that an operator outside of the change reads too is
// copied to the end. With `stats` (may be null) a RELU6 that never clipped while calibrating becomes RELU where its
// output is rescaled: outputs are then the same only for data like the calibration data.
// FailedPrecondition STATS_MISSING: alpha without stats. REQUIRES: the model verifies; stats are of this very model.
absl::StatusOr<Equalization> Equalize(Model& model, const ActivationStats* stats, const EqualizeSettings& settings);

// How uneven the channels of the model's activations are as far as the weights tell: the largest ratio between two
// factors that cross-layer equalization would divide channels of one activation by. 1: nothing to even out. Reads the
// weights once and writes nothing.
float ChannelImbalance(const Model& model);

// What calibrating the new model on the same samples would see: channel by channel and exact up to rounding where the
// tensor's channels were observed; else a range that holds it.
void ApplyToStats(const Equalization& equalization, ActivationStats& stats);

// Equalize with fixed settings. Inputs, outputs and signatures keep names, types and order. Uses the context's stats
// where there are any. Change::count = activations rescaled.
class EqualizePass : public Pass {
 public:
  explicit EqualizePass(EqualizeSettings settings) : settings_(settings) {}
  std::string_view name() const override { return "equalize"; }
  bool NeedsStats() const override { return settings_.alpha.has_value(); }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  EqualizeSettings settings_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_EQUALIZE_H_
