#ifndef LATHE_OPTIMIZER_PASSES_WEIGHT_HISTOGRAMS_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHT_HISTOGRAMS_H_

#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/report/weight_histogram.h"

namespace lathe {

// The largest constants of subgraph 0 of `input` that are dense float32 and stand in `output` under the same name and
// shape with other bytes: at most kWeightHistograms, largest first. Left out: names that either file has twice, and
// what has no plain scales in the output (blockwise). Takes milliseconds whatever the size: it looks at no more than
// kHistogramValuesMax values of a tensor. The same for any thread count.
inline constexpr size_t kWeightHistograms = 8, kHistogramBins = 64, kHistogramValuesMax = size_t{1} << 18;
std::vector<WeightHistogram> DescribeWeights(const Model& input, const Model& output);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHT_HISTOGRAMS_H_
