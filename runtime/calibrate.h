#ifndef LATHE_RUNTIME_CALIBRATE_H_
#define LATHE_RUNTIME_CALIBRATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/ranges.h"
#include "runtime/samples.h"

namespace lathe {

struct CalibrateOptions {
  int threads = 1;
  // What the interpreters may use together, estimated from the model (memory_plan.h). Decides how many there are and in
  // how many passes over the samples large tensors are looked at; never the result.
  uint64_t memory_bytes = uint64_t{4} << 30;
  CancelToken cancel;
  // Called after each sample, from any thread but one at a time: samples done and to do, over all passes.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // Where the copy of the model with more outputs is written for the time of the call.
  std::string scratch_dir;
};

// Runs the float model on every sample and returns the smallest and largest value of each of `tensors` (float32 tensors
// of subgraph 0 that some operator or input of it fills; others are ignored). The samples are read from their start,
// once or several times. Same result for any thread count, memory budget and order of samples. INVALID_ARGUMENT:
// DATA_INVALID as SampleSource; NO_SAMPLES for an empty source; ACTIVATION_NOT_FINITE when a tensor becomes NaN or
// infinite, naming it and the sample. CANCELLED. FAILED_PRECONDITION as Interpreter.
absl::StatusOr<RangeTable> Calibrate(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                     const CalibrateOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_CALIBRATE_H_
