#ifndef LATHE_OPTIMIZER_COMPATIBILITY_TARGET_RULES_H_
#define LATHE_OPTIMIZER_COMPATIBILITY_TARGET_RULES_H_

// What each target takes, as tables with the source of each named in its file. Every function says why an operator does
// not run on the target, or "" when it does; it looks at the file alone.

#include <string>
#include <vector>

#include "optimizer/compatibility/operator_view.h"

namespace lathe {

// XNNPACK as the runtime of this build links it; what it leaves runs on the runtime's own kernels.
std::string WhyNotOnXnnpack(const OperatorView& view);
// Why the CPU runtime cannot run it at all: a custom operator without a kernel.
std::string WhyNotOnCpu(const OperatorView& view);
// The GPU delegate in its default options; what it leaves runs on the CPU.
std::string WhyNotOnGpu(const OperatorView& view);
// edgetpu_compiler; what it leaves, and everything after that, runs on the CPU.
std::string WhyNotOnEdgeTpu(const OperatorView& view);
// TensorFlow Lite Micro; what it leaves does not run.
std::string WhyNotOnMicrocontroller(const OperatorView& view);

// Documents and files that the rules were taken from.
const std::vector<std::string>& CpuSources();
const std::vector<std::string>& GpuSources();
const std::vector<std::string>& EdgeTpuSources();
const std::vector<std::string>& MicrocontrollerSources();

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_COMPATIBILITY_TARGET_RULES_H_
