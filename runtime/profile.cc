#include "runtime/profile.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include "runtime/interpreter.h"
#include "runtime/value_conversion.h"

namespace lathe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmupRuns = 2, kRunsMin = 3;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

absl::Status FeedFirst(const Model& samples_model, SampleSource& samples, Interpreter& interpreter) {
  LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(samples_model));
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  Sample sample;
  LATHE_ASSIGN_OR_RETURN(const bool found, samples.Next(&sample));
  if (!found) return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there is no sample to time with");
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  std::vector<uint8_t> converted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    LATHE_RETURN_IF_ERROR(ConvertInput(inputs[i], sample.inputs[i], interpreter.inputs()[i], &converted));
    LATHE_RETURN_IF_ERROR(interpreter.SetInput(i, converted));
  }
  return absl::OkStatus();
}

bool AreSame(const std::vector<KernelEvent>& events, const std::vector<KernelTime>& kernels) {
  return std::equal(events.begin(), events.end(), kernels.begin(), kernels.end(),
                    [](const KernelEvent& event, const KernelTime& kernel) {
                      return event.kernel == kernel.kernel && event.delegated == kernel.delegated;
                    });
}

void AddKernels(const std::vector<KernelEvent>& events, ModelProfile& profile) {
  for (const KernelEvent& event : events) {
    KernelTime& kernel = profile.kernels.emplace_back();
    kernel.kernel = event.kernel;
    kernel.delegated = event.delegated;
    if (event.delegated) continue;
    kernel.subgraph = event.subgraph;
    kernel.index = event.index;
  }
}

// Mean of the middle half (of three the middle one): a run that another process disturbed does not count, and it is
// finer than the whole microseconds of the single times, which a median is not.
double MiddleMean(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t begin = (values.size() + 1) / 4, end = values.size() - begin;
  return std::accumulate(values.begin() + static_cast<ptrdiff_t>(begin), values.begin() + static_cast<ptrdiff_t>(end),
                         0.0) /
         static_cast<double>(end - begin);
}

}  // namespace

absl::StatusOr<ModelProfile> Profile(const BenchmarkModel& model, const Model& samples_model, SampleSource& samples,
                                     const ProfileOptions& options) {
  InterpreterOptions interpreter_options;
  interpreter_options.threads = options.threads;
  interpreter_options.profile = true;
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<Interpreter> interpreter,
                         Interpreter::Create(*model.model, model.bytes, interpreter_options));
  LATHE_RETURN_IF_ERROR(FeedFirst(samples_model, samples, *interpreter));
  for (int i = 0; i < kWarmupRuns; ++i) LATHE_RETURN_IF_ERROR(interpreter->Run());

  ModelProfile profile;
  std::vector<double> run_ms;
  std::vector<std::vector<double>> kernel_ms;  // one list a kernel
  const auto start = Clock::now();
  for (int run = 0; run < options.runs_max && (run < kRunsMin || MillisecondsSince(start) < options.budget_ms); ++run) {
    LATHE_RETURN_IF_ERROR(options.cancel.Check());
    const auto begin = Clock::now();
    LATHE_ASSIGN_OR_RETURN(const std::vector<KernelEvent> events, interpreter->RunProfiled());
    const double ms = MillisecondsSince(begin);
    if (profile.runs > 0 && !AreSame(events, profile.kernels)) continue;
    if (profile.runs++ == 0) {
      AddKernels(events, profile);
      kernel_ms.resize(events.size());
    }
    run_ms.push_back(ms);
    for (size_t i = 0; i < events.size(); ++i) kernel_ms[i].push_back(events[i].ms);
  }
  std::sort(run_ms.begin(), run_ms.end());
  profile.run_ms = (run_ms[(run_ms.size() - 1) / 2] + run_ms[run_ms.size() / 2]) / 2;
  for (size_t i = 0; i < kernel_ms.size(); ++i) profile.kernels[i].ms = MiddleMean(std::move(kernel_ms[i]));
  AttributeKernels(*model.model, profile.kernels);
  return profile;
}

}  // namespace lathe
