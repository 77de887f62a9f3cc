#ifndef LATHE_OPTIMIZER_PASSES_CHANNEL_RULES_H_
#define LATHE_OPTIMIZER_PASSES_CHANNEL_RULES_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "optimizer/math/channel_scales.h"
#include "optimizer/model/model.h"

namespace lathe {

// What operators of subgraph 0 do with channels (indices of the last dimension), for passes that move factors or
// constants along them. REQUIRES of all: the model verifies; the operator is of subgraph 0.

// A dense float32 constant whose values are finite and not so large that rescaling them could overflow.
bool IsUsableConstant(const Model& model, TensorId id);

// The values of an int32 constant; nullopt for every other tensor.
std::optional<absl::Span<const int32_t>> ConstantInts(const Model& model, TensorId id);

// The weights of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV or FULLY_CONNECTED as rows and columns. Several features of
// a flattened image are one input channel: column j of FULLY_CONNECTED meets channel j modulo the data's channels.
// Nullopt: another kind, shapes that do not fit together, an unknown layout, or weights that are not usable.
std::optional<math::WeightGrid> FindWeightGrid(const Model& model, const Op& op);

// MEAN, SUM, REDUCE_*: the axes are constant and the last one is not among them.
bool ReducesOtherAxesOnly(const Model& model, const Op& op);
// TRANSPOSE: the last axis stays the last.
bool KeepsLastAxisInPlace(const Model& model, const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHANNEL_RULES_H_
