#ifndef LATHE_OPTIMIZER_PASSES_SCALE_CHAINS_H_
#define LATHE_OPTIMIZER_PASSES_SCALE_CHAINS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "optimizer/math/channel_scales.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"

namespace lathe {

// Which channels of which activations may be divided by a factor, because what writes them and what reads them can be
// rescaled so that the model computes the same (Nagel et al., arXiv 1906.04721, section 4.1: f(s x) = s f(x) for s > 0
// between two linear layers). A channel is an index of an activation's last dimension. A group is a set of channels of
// one or several activations that must share one factor: the two sides of a pooling, all branches of a residual sum.
constexpr int32_t kNoGroup = -1;  // a channel that must keep its scale

// Weights that take up factors on one or both sides.
struct ScaledWeights {
  OpId op;
  size_t weights = 1;       // operand; a dense float32 constant
  TensorId bias;            // dense float32 constant with one value for each row, or invalid for none
  size_t bias_operand = 0;  // of a valid bias
  math::WeightGrid grid;
  std::vector<int32_t> rows;     // group of each output channel
  std::vector<int32_t> columns;  // group of each input channel
};

// A constant that is added to (or compared with) a scaled activation, channel by channel along its last dimension.
struct ScaledConstant {
  OpId op;
  size_t operand = 0;
  std::vector<int32_t> channels;  // group of each index of the last dimension
};

struct ScaleChains {
  size_t group_count = 0;
  // Groups with a channel in a common activation, directly or through other groups, have a common component; a factor
  // on a whole component changes nothing for quantization with one scale for each activation.
  size_t component_count = 0;
  std::vector<int32_t> component;      // of each group
  std::vector<ScaledWeights> weights;  // in execution order; those with a group on some side
  std::vector<ScaledConstant> constants;
  // Group of each channel of the activations that have any.
  std::map<TensorId, std::vector<int32_t>> activations;
  // RELU6 (fused or not) that never clipped while calibrating: becomes RELU where its output is rescaled.
  std::vector<OpId> clips;
};

// Finds the groups of subgraph 0. Channels of the graph's inputs and outputs, of variables, of tensors that are not
// float32 or quantized, and those that any operator reads or writes that is not known to keep factors, have no group.
// A RELU6 holds its channels unless `stats` (may be null) saw every channel of its output stay below 6. Linear in the
// number of channels and weights. REQUIRES: the model verifies.
ScaleChains FindScaleChains(const Model& model, const ActivationStats* stats);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SCALE_CHAINS_H_
