#ifndef LATHE_TESTS_FUZZ_ROUNDED_MODEL_H_
#define LATHE_TESTS_FUZZ_ROUNDED_MODEL_H_

#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"

namespace lathe {

// The float model with every activation of subgraph 0 rounded to 8 bits of its calibrated range, or of the range that
// the operator's kernel fixes (quantization specification, section 3.2), by QUANTIZE and DEQUANTIZE behind it; all
// operators compute in float. What 8-bit activations cost at the least, told without any rule or kernel of int8
// operators.
Model RoundActivations(const Model& model, const ActivationStats& stats);

}  // namespace lathe

#endif  // LATHE_TESTS_FUZZ_ROUNDED_MODEL_H_
