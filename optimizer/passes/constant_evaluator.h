#ifndef LATHE_OPTIMIZER_PASSES_CONSTANT_EVALUATOR_H_
#define LATHE_OPTIMIZER_PASSES_CONSTANT_EVALUATOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// Computes the only output of an operator whose inputs are all constants, as the runtime's kernels do: element by
// element in the tensor's own type, integers wrap. Covers ADD, SUB, MUL, DIV (float32; the first three also int32 and
// int64; operands broadcast, a fused RELU or RELU6 applied), NEG, SQRT, RSQRT (float32), RESHAPE, SQUEEZE, EXPAND_DIMS
// (any type with whole bytes), TRANSPOSE (the same), CAST between float32, int32, int64 and from bool.
//
// Nullopt: another kind, an input that is no dense constant, shapes that do not fit together or are dynamic, a result
// that is not finite or does not fit its type, one more than 1 MiB larger than the inputs. The operator then stays.
std::optional<std::vector<uint8_t>> EvaluateConstant(const Model& model, const Subgraph& subgraph, const Op& op);

// True for RESHAPE, SQUEEZE and EXPAND_DIMS of a constant with whole bytes, whose result is the input's own bytes: the
// caller shares the buffer instead of copying it.
bool IsConstantView(const Model& model, const Subgraph& subgraph, const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CONSTANT_EVALUATOR_H_
