#ifndef LATHE_RUNTIME_OBSERVE_H_
#define LATHE_RUNTIME_OBSERVE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "runtime/interpreter.h"
#include "runtime/samples.h"

namespace lathe {

struct ObserveOptions {
  int threads = 1;
  // What the interpreters may use together, estimated from the model (memory_plan.h). Decides how many there are and in
  // how many passes over the samples large tensors are looked at; never the result.
  uint64_t memory_bytes = uint64_t{4} << 30;
  CancelToken cancel;
  // Called after each sample, from any thread but one at a time: samples done and to do, over all passes.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // The file that the model's constants are views of: those are not copied, and its pages are released. May be null.
  const MappedFile* input = nullptr;
  // Where the copy of the model with more outputs is written for the time of the call, if it is.
  std::string scratch_dir;
  // Samples (Sample::index, ascending) that no observer is shown; they are run if there is an after_run.
  std::vector<size_t> run_only;
  // Called with every sample once, after its run: the first outputs of the interpreter are those of the model, in
  // order. From several threads at once; may be null.
  std::function<void(const Sample& sample, const Interpreter& interpreter)> after_run;
};

// One float activation on one sample.
struct Observation {
  TensorId id;  // of subgraph 0
  const std::vector<int32_t>& shape;
  absl::Span<const float> values;  // not empty; lives as long as the call
  size_t sample;                   // Sample::index
};

// What one worker does with each observation. Called by one thread only.
using Observer = std::function<absl::Status(const Observation&)>;

// Runs the float model on every sample and shows each of `tensors` (float32 tensors of subgraph 0 that some operator or
// input of it fills; others are ignored) to the observer of the thread that ran the sample; nothing is kept. The
// samples are read from their start, once or several times; each pair of tensor and sample is shown once, but for
// ObserveOptions::run_only.
// `make_observer` is called one at a time, with worker in [0, options.threads), and again for each pass.
// INVALID_ARGUMENT: DATA_INVALID as SampleSource; NO_SAMPLES for an empty source. CANCELLED. FAILED_PRECONDITION as
// Interpreter. Otherwise the observer's error; of several that of the lowest sample met.
absl::Status ObserveActivations(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                const ObserveOptions& options,
                                const std::function<Observer(int worker)>& make_observer);

}  // namespace lathe

#endif  // LATHE_RUNTIME_OBSERVE_H_
