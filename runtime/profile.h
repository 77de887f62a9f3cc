#ifndef LATHE_RUNTIME_PROFILE_H_
#define LATHE_RUNTIME_PROFILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "runtime/benchmark.h"
#include "runtime/samples.h"

namespace lathe {

struct ProfileOptions {
  int threads = 1;
  // At most so many runs and so many milliseconds of them, but at least 3 runs.
  int runs_max = 50;
  double budget_ms = 200;
  CancelToken cancel;
};

// Something that the runtime ran, by its own profiler.
struct KernelTime {
  std::string kernel;  // the runtime's name: "Convolution (NHWC, F32) IGEMM"; of built-in kernels the operator's kind
  bool delegated = false;  // inside XNNPACK
  double ms = 0;           // mean of the middle half of the runs; the profiler counts whole microseconds, rounded down
  // The operator of the file that it belongs to. Built-in kernels come with it; those of XNNPACK get it by
  // AttributeKernels or not at all.
  std::optional<int> subgraph, index;
};

struct ModelProfile {
  int runs = 0;
  double run_ms = 0;                // median
  std::vector<KernelTime> kernels;  // in execution order
};

// Where the time of a run of `model` on the first sample (which is for `samples_model`) goes. Kernels of XNNPACK are
// attributed. Errors as Benchmark. Runs that do other things than the first one (control flow) are left out.
absl::StatusOr<ModelProfile> Profile(const BenchmarkModel& model, const Model& samples_model, SampleSource& samples,
                                     const ProfileOptions& options);

// Says which operators of subgraph 0 the delegated kernels belong to. XNNPACK keeps the order of the operators but
// fuses some and makes several kernels of others, and names only the sort of computation: operators that no built-in
// kernel ran are aligned with the kernels, once from the front and once from the back, and only what both agree on is
// taken. Kernels without an operator between two taken ones (activations, copies) go to the one before.
// Nothing is attributed when built-in kernels ran in other subgraphs: the order is not known then.
void AttributeKernels(const Model& model, std::vector<KernelTime>& kernels);

// Operators of subgraph 0 that run, by the kernels seen: all whose answer is not known when the file is loaded.
struct DelegateCoverage {
  int operators = 0;  // built-in ones of all subgraphs, and those of subgraph 0 that XNNPACK took
  int delegated = 0;
};
DelegateCoverage CountDelegated(const Model& model, absl::Span<const KernelTime> kernels);

}  // namespace lathe

#endif  // LATHE_RUNTIME_PROFILE_H_
