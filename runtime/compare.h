#ifndef LATHE_RUNTIME_COMPARE_H_
#define LATHE_RUNTIME_COMPARE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/report/report.h"  // OutputError
#include "runtime/reference_outputs.h"
#include "runtime/samples.h"

namespace lathe {

struct CompareOptions {
  int threads = 1;
  uint64_t memory_bytes = uint64_t{4} << 30;  // as ObserveOptions
  CancelToken cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // as ObserveOptions
  // The files that the models' bytes are: as InterpreterOptions::file. May be null.
  const MappedFile* reference_file = nullptr;
  const MappedFile* candidate_file = nullptr;
  // The reference's answers to some of the samples; for others it is run. May be null.
  const ReferenceOutputs* known = nullptr;
};

// A model and the file it was read from.
struct LoadableModel {
  const Model& model;
  absl::Span<const uint8_t> bytes;
  const MappedFile* file = nullptr;  // as InterpreterOptions::file; may be null
};

// CompareOutputs in parts, between which the models stay loaded. Everything given must outlive it. Not thread-safe.
class OutputComparison {
 public:
  OutputComparison(LoadableModel reference, LoadableModel candidate, const CompareOptions& options);
  ~OutputComparison();
  // Runs both models on every sample, from the first on. REQUIRES: samples of other indices than those before.
  absl::Status Run(SampleSource& samples);
  // Over all samples so far. REQUIRES: Run was called.
  std::vector<OutputError> Errors() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Runs both models on every sample, outputs paired by position. Inputs that are quantized integers in `candidate` only
// get the reference's floats quantized. Recurrent state is reset before each sample. Same result for any thread count.
// INVALID_ARGUMENT: DATA_INVALID as SampleSource; NO_SAMPLES; MODELS_DIFFER: inputs or outputs that do not pair up.
// FAILED_PRECONDITION: OUTPUT_NOT_FINITE, naming model, output and sample; RUNTIME_* as Interpreter. CANCELLED.
absl::StatusOr<std::vector<OutputError>> CompareOutputs(const Model& reference,
                                                        absl::Span<const uint8_t> reference_bytes,
                                                        const Model& candidate,
                                                        absl::Span<const uint8_t> candidate_bytes,
                                                        SampleSource& samples, const CompareOptions& options);

// Runs `model` on every sample and keeps its outputs, as far as `outputs` takes them. Errors as CompareOutputs.
absl::Status RunReference(const Model& model, absl::Span<const uint8_t> bytes, SampleSource& samples,
                          const CompareOptions& options, ReferenceOutputs& outputs);

}  // namespace lathe

#endif  // LATHE_RUNTIME_COMPARE_H_
