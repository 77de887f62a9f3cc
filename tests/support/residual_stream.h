#ifndef LATHE_TESTS_SUPPORT_RESIDUAL_STREAM_H_
#define LATHE_TESTS_SUPPORT_RESIDUAL_STREAM_H_

#include <cstdint>

#include "tests/support/model_builder.h"

namespace lathe {

struct LayerNormalisation {
  int32_t axis = -1;  // of both means
};

// (x - mean) * rsqrt(mean of squared differences + 1e-3), spelled out as converters write it: MEAN, SUB,
// SQUARED_DIFFERENCE, MEAN, ADD, RSQRT, MUL. Returns the product.
TensorId AddLayerNormalisation(ModelBuilder& builder, TensorId x, const LayerNormalisation& settings = {});

// Where a small transformer carries the constant that is the same for all channels of a token.
struct Constants {
  float embedding = 0;     // in every row of the GATHER table
  bool per_token = false;  // in the table by row: a different one for each token
  float position = 0;      // in the table that is added by position
  float bias = 0;          // in the biases of the matrices that write to the stream
};

// ids [1, 8] -> GATHER, ADD of positions, RESHAPE, two blocks of (normalise, FULLY_CONNECTED with RELU,
// FULLY_CONNECTED, ADD to the stream), normalise, FULLY_CONNECTED to 5 logits. The function is the same for all
// constants.
Model SmallTransformer(const Constants& constants);

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_RESIDUAL_STREAM_H_
