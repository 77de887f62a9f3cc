#ifndef LATHE_OPTIMIZER_PASSES_WEIGHTS_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"

namespace lathe {

// Where an operator keeps its weights and along which axis they get scales (quantization specification, per-axis
// dimension of weights). TRANSPOSE_CONV: the data is operand 2, the bias operand 3.
struct WeightOperands {
  size_t weights = 1;
  size_t data = 0;
  std::optional<size_t> bias;
  int32_t axis = 0;
};

// Nullopt: the kind has no weights in this sense.
std::optional<WeightOperands> GetWeightOperands(OpKind kind);

// True for a constant FLOAT32 tensor that is neither sparse nor a variable.
bool IsDenseFloatConstant(const Model& model, const Tensor& tensor);

// The layout of a weight tensor along `axis`. REQUIRES: axis is inside the rank.
math::ChannelLayout LayoutAlong(const Tensor& tensor, int32_t axis);

// Why integer weights cannot go on this operator, or "" when they can: no constant float weights, an unexpected rank,
// a grouped convolution, a shuffled weights format, activations that are not float32.
std::string WhyNoIntegerWeights(const Model& model, const Subgraph& subgraph, const Op& op);

// The same for everything but the weights themselves: operands, ranks, groups, formats, types of activations.
std::string WhyNoWeightKernel(const Subgraph& subgraph, const Op& op);

// Bytes of `channels` scales and zero points in the file.
int64_t PerChannelBytes(int64_t channels);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHTS_H_
