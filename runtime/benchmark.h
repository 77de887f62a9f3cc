#ifndef LATHE_RUNTIME_BENCHMARK_H_
#define LATHE_RUNTIME_BENCHMARK_H_

#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "runtime/latency_ratio.h"
#include "runtime/samples.h"

namespace lathe {

struct BenchmarkOptions {
  int threads = 1;
  // Runs a model; 0: up to 50 or 100 ms a model, whichever is first, but at least 3; more with `decide`.
  int runs = 0;
  // Two models and runs = 0: go on, for some seconds at most, until it is clear which one is faster or that none is;
  // models that load quickly are loaded anew for each round, so that the place of their memory does not decide.
  bool decide = false;
  CancelToken cancel;
};

// Of one model. Times in milliseconds.
struct Latency {
  double median_ms = 0;
  std::optional<double> p90_ms;  // from 10 runs on
  std::optional<double> p99_ms;  // from 100 runs on
  int runs = 0;
  // Loading (reading, compiling, packing weights) and the first run after it; medians over the loads.
  double load_ms = 0, first_run_ms = 0;
};

// Memory of one model, bytes.
struct ModelMemory {
  // Heap that it holds once it was loaded and has run: packed weights, tensor arena, the runtime's own structures.
  uint64_t heap_bytes = 0;
  // How far loading it and running it once raised the resident size of the process, at most. Absent: cannot be asked.
  std::optional<uint64_t> peak_rss_bytes;
};

struct BenchmarkResult {
  std::vector<Latency> latencies;   // one a model, in order
  std::vector<ModelMemory> memory;  // likewise
  int loads = 0;                    // how often each model was loaded
  int rounds = 0;                   // that the ratio rests on
  // Two models: the second against the first, and an interval with an error of at most 0.01.
  std::optional<LatencyRatio> ratio;
};

// One model to time: read and its file.
struct BenchmarkModel {
  const Model* model;
  absl::Span<const uint8_t> bytes;
};

// Times one model, or two in turn, on the first sample of `samples` (which is rewound before and after): 2 warm-up runs
// each, then pairs of runs, each in the opposite order of the one before. Only the inference is timed. Inputs that are
// quantized integers get the sample's floats quantized. Errors as CompareOutputs.
// REQUIRES: 1 or 2 models; the samples are for models[0].
absl::StatusOr<BenchmarkResult> Benchmark(absl::Span<const BenchmarkModel> models, SampleSource& samples,
                                          const BenchmarkOptions& options);

// Median and percentiles of run times in milliseconds. REQUIRES: !milliseconds.empty().
Latency Summarize(std::vector<double> milliseconds);

}  // namespace lathe

#endif  // LATHE_RUNTIME_BENCHMARK_H_
