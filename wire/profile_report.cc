#include "wire/profile_report.h"

#include <algorithm>

namespace lathe {
namespace {

uint32_t Unsigned(int value) { return static_cast<uint32_t>(std::max(value, 0)); }

void Fill(const ModelProfileReport& from, v1::ModelProfile* to) {
  to->set_runs(Unsigned(from.runs));
  to->set_run_ms(from.run_ms);
  to->set_operators(Unsigned(from.operators));
  to->set_delegated_operators(Unsigned(from.delegated_operators));
  to->set_delegated_share(from.operators > 0 ? static_cast<double>(from.delegated_operators) / from.operators : 0);
  to->set_delegated_ms(from.delegated_ms);
  to->set_builtin_ms(from.builtin_ms);
  for (const KernelReport& kernel : from.kernels) {
    auto* added = to->add_kernels();
    added->set_kernel(kernel.kernel);
    added->set_delegated(kernel.delegated);
    added->set_ms(kernel.ms);
    if (kernel.subgraph) added->set_subgraph(Unsigned(*kernel.subgraph));
    if (kernel.index) added->set_index(Unsigned(*kernel.index));
  }
}

}  // namespace

v1::ProfileReport ProfileReportToProto(const ProfileReport& report) {
  v1::ProfileReport proto;
  if (report.input) Fill(*report.input, proto.mutable_input());
  if (report.output) Fill(*report.output, proto.mutable_output());
  return proto;
}

}  // namespace lathe
