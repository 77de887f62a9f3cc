#ifndef LATHE_RUNTIME_EVALUATE_H_
#define LATHE_RUNTIME_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/metric.h"
#include "optimizer/report/accuracy_report.h"
#include "runtime/samples.h"

namespace lathe {

// A model to evaluate. Everything outlives the evaluation.
struct EvaluatedModel {
  const Model& model;
  absl::Span<const uint8_t> bytes;
  const MappedFile* file = nullptr;  // as InterpreterOptions::file; may be null
  const char* what = "the model";    // in errors
};

struct EvaluateOptions {
  std::string metric;  // of Metrics()
  MetricOptions metric_options;
  int threads = 1;
  uint64_t memory_bytes = uint64_t{1} << 30;  // that interpreters may take where one would do
  uint64_t seed = 0;                          // of the interval
  CancelToken cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // one call at a time; may be null
  // A folder that every model's answers are written to (PredictionWriter); "": nowhere.
  std::string predictions_folder;
};

// Runs one model, or two on the same samples, and says how good the answers are. Samples are given for the first
// model's inputs; outputs pair up by position, and the first model's names count. A metric without labels compares the
// second model with the first, which is then perfect by definition. Samples are streamed: of each only its score is
// kept. Same result for any thread count. REQUIRES: one or two models; labels were asked of `samples` where the metric
// needs them. INVALID_ARGUMENT: NO_SAMPLES; METRIC_UNFIT, METRIC_UNDEFINED, LABELS_INVALID (naming the sample) as the
// metric; METRIC_NEEDS_TWO: a metric without labels and one model; MODELS_DIFFER; DATA_INVALID as SampleSource.
// FAILED_PRECONDITION: OUTPUT_NOT_FINITE, naming model, output and sample; RUNTIME_* as Interpreter. CANCELLED.
absl::StatusOr<AccuracyReport> Evaluate(absl::Span<const EvaluatedModel> models, SampleSource& samples,
                                        const EvaluateOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_EVALUATE_H_
