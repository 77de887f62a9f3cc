#ifndef LATHE_OPTIMIZER_PASSES_WEIGHT_ROWS_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHT_ROWS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// The weights of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED as real numbers: one row an output channel, in the order
// of a patch (input_moments.h).
struct WeightRows {
  int64_t channels = 0, k = 0;
  std::vector<float> weights;  // [channels, k]
  std::vector<float> bias;     // [channels]; zeros where there is none
};

// Reads float weights, int8 and int4 weights with one scale or one a channel, and such weights behind a DEQUANTIZE;
// float, int32 and int64 biases. Nullopt: another kind of operator, other weights (blockwise, sparse, float16,
// computed), shapes that do not fit, or a value that is not finite. `op` is in subgraph 0.
std::optional<WeightRows> ReadWeightRows(const Model& model, const Op& op);

// Values [channels, k] in the order of the weight tensor of `kind`, and back: for DEPTHWISE_CONV_2D channels are last.
template <typename T>
std::vector<T> ToTensorOrder(OpKind kind, int64_t channels, int64_t k, std::vector<T> rows) {
  if (kind != OpKind::kDepthwiseConv2d) return rows;
  std::vector<T> values(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    values[i % static_cast<size_t>(k) * static_cast<size_t>(channels) + i / static_cast<size_t>(k)] = rows[i];
  }
  return values;
}

// Operators with weights in both models that are one operator of the input file: first in `reference`, second in
// `quantized`, in the order of `reference`. Operators that are not in both, or differ in the shape of their weights,
// are left out.
std::vector<std::pair<OpId, OpId>> PairWeightOperators(const Model& reference, const Model& quantized);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHT_ROWS_H_
