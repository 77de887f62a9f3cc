#include "runtime/benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "runtime/interpreter.h"
#include "runtime/value_conversion.h"

namespace lathe {

namespace {

constexpr int kWarmupRuns = 2, kRunsMax = 50, kRunsMin = 3;
constexpr double kBudgetMs = 100;
// Below this the 90th percentile says nothing that the median does not.
constexpr size_t kPercentileRunsMin = 10;

// One model under test.
struct Timed {
  std::unique_ptr<Interpreter> interpreter;
  std::vector<double> milliseconds;
  double total_ms = 0;
};

bool IsDone(const Timed& timed, int runs) {
  const int done = static_cast<int>(timed.milliseconds.size());
  if (runs > 0) return done >= runs;
  return done >= kRunsMax || (done >= kRunsMin && timed.total_ms >= kBudgetMs);
}

absl::StatusOr<double> TimeRun(Interpreter& interpreter) {
  const auto start = std::chrono::steady_clock::now();
  LATHE_RETURN_IF_ERROR(interpreter.Run());
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

absl::StatusOr<Timed> Prepare(const BenchmarkModel& model, const std::vector<TensorInfo>& inputs, const Sample& sample,
                              int threads) {
  InterpreterOptions options;
  options.threads = threads;
  Timed timed;
  LATHE_ASSIGN_OR_RETURN(timed.interpreter, Interpreter::Create(*model.model, model.bytes, options));
  if (timed.interpreter->inputs().size() != inputs.size()) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
        absl::StrFormat("one model has %d inputs, the other %d", inputs.size(), timed.interpreter->inputs().size()));
  }
  std::vector<uint8_t> converted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    LATHE_RETURN_IF_ERROR(ConvertInput(inputs[i], sample.inputs[i], timed.interpreter->inputs()[i], &converted));
    LATHE_RETURN_IF_ERROR(timed.interpreter->SetInput(i, converted));
  }
  for (int i = 0; i < kWarmupRuns; ++i) LATHE_RETURN_IF_ERROR(timed.interpreter->Run());
  return timed;
}

}  // namespace

Latency Summarize(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t count = milliseconds.size();
  Latency latency;
  latency.runs = static_cast<int>(count);
  latency.median_ms = (milliseconds[(count - 1) / 2] + milliseconds[count / 2]) / 2;
  if (count >= kPercentileRunsMin) {
    latency.p90_ms = milliseconds[static_cast<size_t>(std::ceil(0.9 * static_cast<double>(count))) - 1];
  }
  return latency;
}

absl::StatusOr<std::vector<Latency>> Benchmark(absl::Span<const BenchmarkModel> models, SampleSource& samples,
                                               const BenchmarkOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(*models[0].model));
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  Sample sample;
  LATHE_ASSIGN_OR_RETURN(const bool found, samples.Next(&sample));
  if (!found) return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there is no sample to time with");
  LATHE_RETURN_IF_ERROR(samples.Rewind());

  std::vector<Timed> all;
  for (const BenchmarkModel& model : models) {
    LATHE_ASSIGN_OR_RETURN(Timed timed, Prepare(model, inputs, sample, options.threads));
    all.push_back(std::move(timed));
  }
  bool running = true;
  while (running) {
    running = false;
    for (Timed& timed : all) {
      LATHE_RETURN_IF_ERROR(options.cancel.Check());
      if (IsDone(timed, options.runs)) continue;
      running = true;
      LATHE_ASSIGN_OR_RETURN(const double ms, TimeRun(*timed.interpreter));
      timed.milliseconds.push_back(ms);
      timed.total_ms += ms;
    }
  }
  std::vector<Latency> latencies;
  for (Timed& timed : all) latencies.push_back(Summarize(std::move(timed.milliseconds)));
  return latencies;
}

}  // namespace lathe
