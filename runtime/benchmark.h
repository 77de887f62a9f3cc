#ifndef LATHE_RUNTIME_BENCHMARK_H_
#define LATHE_RUNTIME_BENCHMARK_H_

#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "runtime/samples.h"

namespace lathe {

struct BenchmarkOptions {
  int threads = 1;
  // Runs a model; 0: up to 50 or 100 ms a model, whichever is first, but at least 3.
  int runs = 0;
  CancelToken cancel;
};

struct Latency {
  double median_ms = 0;
  std::optional<double> p90_ms;  // from 10 runs on
  int runs = 0;
};

// One model to time: read and its file.
struct BenchmarkModel {
  const Model* model;
  absl::Span<const uint8_t> bytes;
};

// Times the models on the first sample of `samples` (which is rewound before and after), one run of each in turn, so
// that a machine that slows down slows all of them: 2 warm-up runs each, then as options say. Only the inference is
// timed. One Latency a model, in order. Inputs that are quantized integers get the sample's floats quantized. Errors as
// CompareOutputs. REQUIRES: !models.empty(); the samples are for models[0].
absl::StatusOr<std::vector<Latency>> Benchmark(absl::Span<const BenchmarkModel> models, SampleSource& samples,
                                               const BenchmarkOptions& options);

// Median and p90 of run times in milliseconds. REQUIRES: !milliseconds.empty().
Latency Summarize(std::vector<double> milliseconds);

}  // namespace lathe

#endif  // LATHE_RUNTIME_BENCHMARK_H_
