#ifndef LATHE_OPTIMIZER_PASSES_MULTIPLIER_LIMITS_H_
#define LATHE_OPTIMIZER_PASSES_MULTIPLIER_LIMITS_H_

#include <functional>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// What is wrong with an operator's scales: the kernel multiplies by a ratio of them, which must lie in a range.
struct ScaleDemand {
  enum class Side { kResult, kOperand };
  Side side;       // whose scale is too small
  size_t operand;  // kOperand only
  double scale_min;
};

// The least scales with which the kernels, and for int8 XNNPACK (quantization specification, section 8), take the
// operator; empty when they take it as it is. `bits` is the width of its activations; `scale` gives the scale of an
// operand by index, `result_scale` that of the first result; `weight_scale_max` is the largest scale of its weights, 0
// for operators that have none.
std::vector<ScaleDemand> FindScaleDemands(OpKind kind, int bits, const std::function<double(size_t)>& scale,
                                          double result_scale, double weight_scale_max, size_t data_operand);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_MULTIPLIER_LIMITS_H_
