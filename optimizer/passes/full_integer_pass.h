#ifndef LATHE_OPTIMIZER_PASSES_FULL_INTEGER_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FULL_INTEGER_PASS_H_

#include "optimizer/passes/pass.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Full-integer int8 of subgraph 0 with float32 inputs and outputs: int8 activations with one scale and zero point from
// the calibrated minimum and maximum, int8 weights with a scale for each channel (CONV_2D, FULLY_CONNECTED axis 0,
// DEPTHWISE_CONV_2D axis 3), int32 biases with scale input * weight. Operators without an int8 rule, or whose int8
// kernel is slower than a float island, stay float between DEQUANTIZE and QUANTIZE; neighbours share them, and between
// int8 operators stands nothing but a requantization where their scales must differ.
//
// Inputs, outputs and signatures keep names, types and order. Weights and biases are symmetric; a weight shared by
// operators that need different scales is stored for each. Change::count = operators made int8.
// FailedPrecondition: no ranges; FLOAT_FALLBACK: the settings forbid float operators (require_full_integer, or
// allow_float_fallback: false) and one cannot be int8; the message names it. InvalidArgument: weights that are not
// finite.
class FullIntegerPass : public Pass {
 public:
  explicit FullIntegerPass(QuantizeSettings settings) : settings_(std::move(settings)) {}
  std::string_view name() const override { return "quantize-full-integer"; }
  bool NeedsRanges() const override { return true; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  QuantizeSettings settings_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FULL_INTEGER_PASS_H_
