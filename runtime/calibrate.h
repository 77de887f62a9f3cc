#ifndef LATHE_RUNTIME_CALIBRATE_H_
#define LATHE_RUNTIME_CALIBRATE_H_

#include <cstdint>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/sample_ranges.h"
#include "runtime/observe.h"
#include "runtime/samples.h"

namespace lathe {

struct CalibrateOptions : ObserveOptions {
  // Ranges of the single channels too (TensorStats::channels).
  bool channels = true;
  // What Calibration::by_sample may take; of more samples only the first ones are kept.
  uint64_t by_sample_bytes_max = uint64_t{16} << 20;
};

struct Calibration {
  ActivationStats stats;
  SampleRanges by_sample;
};

// Runs the float model on every sample and returns the smallest and largest value of each of `tensors` and of each of
// its channels (as ObserveActivations takes them). Same result for any thread count, memory budget and order of
// samples. INVALID_ARGUMENT: ACTIVATION_NOT_FINITE when a tensor becomes NaN or infinite, naming it and the sample;
// others and further codes as ObserveActivations.
absl::StatusOr<Calibration> Calibrate(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                      const CalibrateOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_CALIBRATE_H_
