#ifndef LATHE_OPTIMIZER_PASSES_INPUT_MOMENTS_H_
#define LATHE_OPTIMIZER_PASSES_INPUT_MOMENTS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "optimizer/model/ids.h"

namespace lathe {

// Moments of the data that the weights of one operator are multiplied with. A row is one patch x of K values in the
// order of one output channel's weights (CONV_2D: height, width, input channel; FULLY_CONNECTED: input feature);
// padding counts as 0. DEPTHWISE_CONV_2D has a row of K = height * width values for each of its channels.
struct InputMoments {
  int64_t groups = 1;  // DEPTHWISE_CONV_2D: the output channels; else 1
  int64_t k = 0;
  uint64_t rows = 0;          // patches seen, per group
  std::vector<float> second;  // [groups, k, k]: mean of x x^T
  std::vector<float> mean;    // [groups, k]: mean of x
};

// By operator of subgraph 0 of the very model that was run.
using MomentTable = std::map<OpId, InputMoments>;

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INPUT_MOMENTS_H_
