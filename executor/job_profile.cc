#include "executor/job_profile.h"

#include <map>
#include <utility>

namespace lathe {

ModelProfileReport MakeProfileReport(const Model& model, const ModelProfile& profile) {
  ModelProfileReport report;
  report.runs = profile.runs;
  report.run_ms = profile.run_ms;
  const DelegateCoverage coverage = CountDelegated(model, profile.kernels);
  report.operators = coverage.operators;
  report.delegated_operators = coverage.delegated;
  for (const KernelTime& kernel : profile.kernels) {
    (kernel.delegated ? report.delegated_ms : report.builtin_ms) += kernel.ms;
    report.kernels.push_back({kernel.kernel, kernel.delegated, kernel.ms, kernel.subgraph, kernel.index});
  }
  return report;
}

void FillOperatorTimes(const ModelProfileReport& profile, std::vector<OperatorReport>& rows) {
  std::map<std::pair<int, int>, double> times;
  for (const KernelReport& kernel : profile.kernels) {
    if (kernel.index) times[{kernel.subgraph.value_or(0), *kernel.index}] += kernel.ms;
  }
  for (OperatorReport& row : rows) {
    const auto found = times.find({row.subgraph, row.index});
    if (found != times.end()) row.ms = found->second;
  }
}

}  // namespace lathe
