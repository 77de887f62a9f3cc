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
  uint64_t rows = 0;  // patches seen, per group
  std::vector<float>
      second;               // [groups, k, k]: mean of x x^T; empty where only the mean was asked for or K is too large
  std::vector<float> mean;  // [groups, k]: mean of x
};

// By operator of subgraph 0 of the very model that was run.
using MomentTable = std::map<OpId, InputMoments>;

// The same patches as two models see them: x in a reference, y in a copy of it that was quantized up to there.
struct JointMoments {
  InputMoments reference;    // of x; means only
  InputMoments quantized;    // of y
  std::vector<float> cross;  // [groups, k, k]: mean of x y^T; empty where quantized.second is
};

// By operator of subgraph 0 of the reference.
using JointMomentTable = std::map<OpId, JointMoments>;

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INPUT_MOMENTS_H_
