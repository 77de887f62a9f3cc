#ifndef LATHE_OPTIMIZER_PASSES_CLIPPING_HISTOGRAMS_H_
#define LATHE_OPTIMIZER_PASSES_CLIPPING_HISTOGRAMS_H_

#include <cstddef>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/histogram_table.h"
#include "optimizer/passes/integer_parameters.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/report/clipping_histogram.h"

namespace lathe {

// How activations fare with the ranges that were chosen for them. The worst tensors are those with the largest share of
// values clipped, and of equal shares those with the least ratio of signal to error; then the order of the graph.
inline constexpr size_t kClippingHistograms = 8, kClippingBins = 64;

// What `histograms` has of the `count` tensors that are worst with int8 over `ranges`: the others need not be held
// until it is known which tensors become int8. Tensors without a range are dropped.
HistogramTable KeepWorstClipped(HistogramTable histograms, const RangeTable& ranges, size_t count);

// The worst tensors that the plan makes int8, at most kClippingHistograms, worst first.
// REQUIRES: both were made of subgraph 0 of `model`.
std::vector<ClippingHistogram> DescribeClipping(const Model& model, const HistogramTable& histograms,
                                                const IntegerPlan& plan);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CLIPPING_HISTOGRAMS_H_
