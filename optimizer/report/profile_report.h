#ifndef LATHE_OPTIMIZER_REPORT_PROFILE_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_PROFILE_REPORT_H_

#include <optional>
#include <string>
#include <vector>

namespace lathe {

// Something that the runtime ran. Milliseconds a run; the profiler counts whole microseconds, rounded down.
struct KernelReport {
  std::string kernel;  // the runtime's name; of built-in kernels the operator's kind
  bool delegated = false;
  double ms = 0;
  std::optional<int> subgraph, index;  // of the operator that it belongs to; absent: not known
};

struct ModelProfileReport {
  int runs = 0;
  double run_ms = 0;                           // median, with the profiler on
  int operators = 0, delegated_operators = 0;  // that ran; of those, in XNNPACK
  double delegated_ms = 0, builtin_ms = 0;
  std::vector<KernelReport> kernels;  // in execution order
};

struct ProfileReport {
  std::optional<ModelProfileReport> input, output;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_PROFILE_REPORT_H_
