#ifndef LATHE_RUNTIME_COLLECT_HISTOGRAMS_H_
#define LATHE_RUNTIME_COLLECT_HISTOGRAMS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/histogram_table.h"
#include "runtime/observe.h"
#include "runtime/samples.h"

namespace lathe {

struct HistogramOptions : ObserveOptions {
  // Of more samples that many are run, evenly spaced.
  size_t samples_max = 64;
  // Of larger tensors that many values of each sample are counted, in evenly spaced runs. A share of 1e-5 of the values
  // of a tensor is then ten values of the 64 samples.
  size_t values_max = size_t{1} << 14;
};

// Counts the values of each of `tensors` over the ranges that calibration has found; values outside (of samples it has
// not seen) count at the ends. Tensors that `stats` lacks, or that have one value only, are left out. Same result for
// any thread count and memory budget. Errors as ObserveActivations.
absl::StatusOr<HistogramTable> CollectHistograms(const Model& model, const std::vector<TensorId>& tensors,
                                                 const ActivationStats& stats, SampleSource& samples,
                                                 const HistogramOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_COLLECT_HISTOGRAMS_H_
