#ifndef LATHE_EXECUTOR_COMPARE_MODELS_H_
#define LATHE_EXECUTOR_COMPARE_MODELS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/report/comparison.h"
#include "runtime/samples.h"

namespace lathe {

// A model and the file it was read from.
struct ComparedFile {
  const Model& model;
  const MappedFile& file;
};

struct CompareModelsOptions {
  int threads = 1;
  CancelToken cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // runs of samples, each once for every operator
  std::string scratch_dir;                                      // for copies of the models
  // What the probe of single operators and the values that are read may take at a time, estimated; operators beyond it
  // are measured in further passes over the samples.
  uint64_t probe_bytes_max = uint64_t{512} << 20;
};

// Compares b, which was quantized, with a, which it was made from, on every sample: its outputs, then operator by
// operator with the causes of what each adds (runtime/operator_errors.h, passes/weight_deviation.h). Operators are
// matched by structure alone, so it does not matter which program made b. If a has multiplications and additions that b
// has folded into its weights, a is looked at as if they were folded. Ranked are the operators' own causes by their
// noise relative to the operator's signal; what accumulated is not among them. A bias that brings the result nearer to
// a's errs in nothing: what it takes off counts for the weights. Noise below 1e-11 of the signal is float rounding and
// is no cause.
//
// INVALID_ARGUMENT: MODELS_DIFFER: inputs or outputs do not pair up, or no operator of one is in the other;
// DATA_INVALID as SampleSource; NO_SAMPLES. FAILED_PRECONDITION: OUTPUT_NOT_FINITE, RUNTIME_* as Interpreter.
// CANCELLED.
absl::StatusOr<ComparisonReport> CompareModels(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                                               const CompareModelsOptions& options);

// The same without the outputs, and at less cost: operators get the error of their outputs, and only the `split_max` of
// them that seem to add most by it (beyond what their data bring) are split into causes and ranked.
absl::StatusOr<ComparisonReport> FindMainCauses(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                                                size_t split_max, const CompareModelsOptions& options);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_COMPARE_MODELS_H_
