#ifndef LATHE_OPTIMIZER_COMPATIBILITY_GPU_LIMITS_H_
#define LATHE_OPTIMIZER_COMPATIBILITY_GPU_LIMITS_H_

// What the GPU delegate asks of operands and options, kind by kind: gpu_rules.cc names the sources. Each function says
// why it does not take the operator, or "".

#include <string>

#include "optimizer/compatibility/operator_view.h"

namespace lathe::gpu {

std::string LimitOneArgument(const OperatorView& view);   // one computed operand, no constant
std::string LimitTwoArguments(const OperatorView& view);  // two operands, at most one of them a constant
std::string LimitOneComputed(const OperatorView& view);   // constants besides one computed operand, one result
std::string LimitAdd(const OperatorView& view);           // ADD and MUL: also what is repeated
std::string LimitAddN(const OperatorView& view);
std::string LimitBatchMatmul(const OperatorView& view);
std::string LimitBlock(const OperatorView& view);       // DEPTH_TO_SPACE, SPACE_TO_DEPTH
std::string LimitCast(const OperatorView& view);        // also who makes and reads truth values
std::string LimitComparison(const OperatorView& view);  // what reads the truth values
std::string LimitConvolution(const OperatorView& view);
std::string LimitCumsum(const OperatorView& view);
std::string LimitDensify(const OperatorView& view);
std::string LimitDepthwise(const OperatorView& view);
std::string LimitDequantize(const OperatorView& view);
std::string LimitFullyConnected(const OperatorView& view);
std::string LimitGather(const OperatorView& view);
std::string LimitLstm(const OperatorView& view);
std::string LimitMirrorPad(const OperatorView& view);
std::string LimitOneHot(const OperatorView& view);
std::string LimitPad(const OperatorView& view);
std::string LimitPrelu(const OperatorView& view);
std::string LimitReduction(const OperatorView& view);
std::string LimitSelect(const OperatorView& view);
std::string LimitSlice(const OperatorView& view);
std::string LimitSoftmax(const OperatorView& view);
std::string LimitStridedSlice(const OperatorView& view);

}  // namespace lathe::gpu

#endif  // LATHE_OPTIMIZER_COMPATIBILITY_GPU_LIMITS_H_
