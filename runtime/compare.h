#ifndef LATHE_RUNTIME_COMPARE_H_
#define LATHE_RUNTIME_COMPARE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/report/report.h"  // OutputError
#include "runtime/samples.h"

namespace lathe {

struct CompareOptions {
  int threads = 1;
  uint64_t memory_bytes = uint64_t{4} << 30;  // as CalibrateOptions
  CancelToken cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // as CalibrateOptions
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

// The formula above. REQUIRES: both >= 0 and finite.
std::optional<double> SqnrDb(double signal, double noise);

}  // namespace lathe

#endif  // LATHE_RUNTIME_COMPARE_H_
