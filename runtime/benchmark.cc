#include "runtime/benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "runtime/interpreter.h"
#include "runtime/litert_library.h"
#include "runtime/process_memory.h"
#include "runtime/value_conversion.h"

namespace lathe {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmupRuns = 2, kRunsMax = 50, kRunsMin = 3;
constexpr double kBudgetMs = 100;
// Below these a percentile says nothing that a smaller one does not.
constexpr size_t kP90RunsMin = 10, kP99RunsMin = 100;

// Chance that an interval misses the true ratio.
constexpr double kError = 0.01;
// Rounds that fixed numbers of runs are split into.
constexpr size_t kFixedRounds = 10;
// With `decide`: when the ratio is looked at. Each look has its share of the error, so that all together keep to it.
constexpr size_t kLooks[] = {10, 20, 40, 80, 160};
constexpr double kLookError = kError / std::size(kLooks);
// A round is as short as the scheduler's time slice allows, so that both models see the same load in it.
constexpr double kRoundMs = 12;
constexpr int kRoundRunsMin = 2, kRoundRunsMax = 25;
// Loading for a round may cost so much; all rounds together so much.
constexpr double kReloadMsMax = 150, kDecideMsMax = 6000;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

// One model under test.
struct Timed {
  BenchmarkModel model;
  std::vector<std::vector<uint8_t>> inputs;  // as the model takes them
  std::unique_ptr<Interpreter> interpreter;
  std::vector<double> run_ms, load_ms, first_run_ms;
  ModelMemory memory;
};

class Bench {
 public:
  Bench(absl::Span<const BenchmarkModel> models, const BenchmarkOptions& options) : options_(options) {
    for (const BenchmarkModel& model : models) timed_.emplace_back().model = model;
  }

  absl::StatusOr<BenchmarkResult> Run(SampleSource& samples) {
    LATHE_RETURN_IF_ERROR(Prepare(samples));
    const bool decides = options_.decide && options_.runs == 0 && timed_.size() == 2;
    LATHE_RETURN_IF_ERROR(decides ? Decide() : RunFixed());
    for (Timed& timed : timed_) {
      Latency latency = Summarize(std::move(timed.run_ms));
      latency.load_ms = Median(std::move(timed.load_ms));
      latency.first_run_ms = Median(std::move(timed.first_run_ms));
      result_.latencies.push_back(latency);
      result_.memory.push_back(timed.memory);
    }
    return std::move(result_);
  }

 private:
  absl::Status Prepare(SampleSource& samples) {
    LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(*timed_[0].model.model));
    LATHE_RETURN_IF_ERROR(samples.Rewind());
    Sample sample;
    LATHE_ASSIGN_OR_RETURN(const bool found, samples.Next(&sample));
    if (!found) return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there is no sample to time with");
    LATHE_RETURN_IF_ERROR(samples.Rewind());
    LATHE_RETURN_IF_ERROR(LoadLiteRt().status());  // what the library itself takes is no model's
    for (Timed& timed : timed_) {
      const MemoryMeter meter;
      LATHE_RETURN_IF_ERROR(Create(timed));
      LATHE_RETURN_IF_ERROR(ConvertInputs(inputs, sample, timed));
      LATHE_RETURN_IF_ERROR(WarmUp(timed));
      timed.memory.heap_bytes = meter.HeapBytes();
      timed.memory.peak_rss_bytes = meter.PeakRssBytes();
    }
    result_.loads = 1;
    return absl::OkStatus();
  }

  absl::Status ConvertInputs(const std::vector<TensorInfo>& inputs, const Sample& sample, Timed& timed) {
    const std::vector<TensorInfo>& own = timed.interpreter->inputs();
    if (own.size() != inputs.size()) {
      return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                       absl::StrFormat("one model has %d inputs, the other %d", inputs.size(), own.size()));
    }
    timed.inputs.resize(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      LATHE_RETURN_IF_ERROR(ConvertInput(inputs[i], sample.inputs[i], own[i], &timed.inputs[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Create(Timed& timed) {
    InterpreterOptions options;
    options.threads = options_.threads;
    const auto start = Clock::now();
    LATHE_ASSIGN_OR_RETURN(timed.interpreter, Interpreter::Create(*timed.model.model, timed.model.bytes, options));
    timed.load_ms.push_back(MillisecondsSince(start));
    return absl::OkStatus();
  }

  absl::Status WarmUp(Timed& timed) {
    for (size_t i = 0; i < timed.inputs.size(); ++i) {
      LATHE_RETURN_IF_ERROR(timed.interpreter->SetInput(i, timed.inputs[i]));
    }
    for (int run = 0; run < kWarmupRuns; ++run) {
      LATHE_ASSIGN_OR_RETURN(const double ms, TimeRun(timed));
      if (run == 0) timed.first_run_ms.push_back(ms);
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<double> TimeRun(Timed& timed) {
    const auto start = Clock::now();
    LATHE_RETURN_IF_ERROR(timed.interpreter->Run());
    // A clock that stood still would make a ratio of nothing.
    return std::max(MillisecondsSince(start), 1e-6);
  }

  // One run of each model; the first one is the last one of the pair before.
  absl::Status RunPair() {
    LATHE_RETURN_IF_ERROR(options_.cancel.Check());
    for (size_t i = 0; i < timed_.size(); ++i) {
      Timed& timed = timed_[backwards_ ? timed_.size() - 1 - i : i];
      LATHE_ASSIGN_OR_RETURN(const double ms, TimeRun(timed));
      timed.run_ms.push_back(ms);
    }
    backwards_ = !backwards_;
    return absl::OkStatus();
  }

  bool IsDone() const {
    const int done = static_cast<int>(timed_[0].run_ms.size());
    if (options_.runs > 0) return done >= options_.runs;
    if (done >= kRunsMax) return true;
    return done >= kRunsMin && total_ms_ >= kBudgetMs * static_cast<double>(timed_.size());
  }

  absl::Status RunFixed() {
    const auto start = Clock::now();
    while (!IsDone()) {
      LATHE_RETURN_IF_ERROR(RunPair());
      total_ms_ = MillisecondsSince(start);
    }
    if (timed_.size() < 2) return absl::OkStatus();
    const auto rounds = SplitIntoRounds(timed_[0].run_ms, timed_[1].run_ms, kFixedRounds);
    result_.rounds = static_cast<int>(rounds.size());
    result_.ratio = CompareLatency(rounds, kError);
    return absl::OkStatus();
  }

  absl::Status Decide() {
    const auto start = Clock::now();
    for (int i = 0; i < kRunsMin; ++i) LATHE_RETURN_IF_ERROR(RunPair());
    const int runs = RunsOfRound();
    const bool reload = ReloadMs() <= kReloadMsMax;
    for (Timed& timed : timed_) timed.run_ms.clear();
    std::vector<BenchmarkRound> rounds;
    for (const size_t look : kLooks) {
      while (rounds.size() < look && (rounds.size() < kRunsMin || MillisecondsSince(start) < kDecideMsMax)) {
        if (reload && !rounds.empty()) LATHE_RETURN_IF_ERROR(Reload());
        LATHE_RETURN_IF_ERROR(RunRound(runs, rounds.emplace_back()));
      }
      result_.ratio = CompareLatency(rounds, kLookError);
      if (rounds.size() < look || IsSame(*result_.ratio)) break;
      if (Rank(*result_.ratio) != LatencyRanking::kNoDifference) break;
    }
    result_.rounds = static_cast<int>(rounds.size());
    return absl::OkStatus();
  }

  int RunsOfRound() const {
    double pair_ms = 0;
    for (const Timed& timed : timed_) pair_ms += *std::min_element(timed.run_ms.begin(), timed.run_ms.end());
    return std::clamp(static_cast<int>(kRoundMs / pair_ms), kRoundRunsMin, kRoundRunsMax);
  }

  double ReloadMs() const {
    double sum = 0;
    for (const Timed& timed : timed_) sum += timed.load_ms[0] + kWarmupRuns * timed.first_run_ms[0];
    return sum;
  }

  // In the other order than before: the allocator hands out the same places again.
  absl::Status Reload() {
    for (Timed& timed : timed_) timed.interpreter.reset();
    for (size_t i = 0; i < timed_.size(); ++i) {
      Timed& timed = timed_[result_.loads % 2 == 1 ? timed_.size() - 1 - i : i];
      LATHE_RETURN_IF_ERROR(Create(timed));
      LATHE_RETURN_IF_ERROR(WarmUp(timed));
    }
    ++result_.loads;
    return absl::OkStatus();
  }

  absl::Status RunRound(int runs, BenchmarkRound& round) {
    // Which model was loaded last alternates; with this both orders of running meet both of loading.
    backwards_ = result_.loads / 2 % 2 == 1;
    const size_t before = timed_[0].run_ms.size();
    for (int i = 0; i < runs; ++i) LATHE_RETURN_IF_ERROR(RunPair());
    round.first_ms.assign(timed_[0].run_ms.begin() + static_cast<ptrdiff_t>(before), timed_[0].run_ms.end());
    round.second_ms.assign(timed_[1].run_ms.begin() + static_cast<ptrdiff_t>(before), timed_[1].run_ms.end());
    return absl::OkStatus();
  }

  const BenchmarkOptions& options_;
  std::vector<Timed> timed_;
  BenchmarkResult result_;
  double total_ms_ = 0;
  bool backwards_ = false;
};

}  // namespace

Latency Summarize(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t count = milliseconds.size();
  const auto percentile = [&](double share) {
    return milliseconds[static_cast<size_t>(std::ceil(share * static_cast<double>(count))) - 1];
  };
  Latency latency;
  latency.runs = static_cast<int>(count);
  latency.median_ms = (milliseconds[(count - 1) / 2] + milliseconds[count / 2]) / 2;
  if (count >= kP90RunsMin) latency.p90_ms = percentile(0.9);
  if (count >= kP99RunsMin) latency.p99_ms = percentile(0.99);
  return latency;
}

absl::StatusOr<BenchmarkResult> Benchmark(absl::Span<const BenchmarkModel> models, SampleSource& samples,
                                          const BenchmarkOptions& options) {
  return Bench(models, options).Run(samples);
}

}  // namespace lathe
