#ifndef LATHE_OPTIMIZER_PASSES_FULL_INTEGER_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FULL_INTEGER_PASS_H_

#include "optimizer/passes/pass.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Integer activations in subgraph 0, for the operators whose settings have Scheme::kFullInteger (PassContext::settings;
// null: all, with the pass's own). int8 or int16 (activations.bits) with one scale for each tensor from its range, int8
// or int4 weights (weights.bits; 4 where the runtime has a kernel) with a scale for each channel, or for the tensor
// (weights.granularity), int32 biases with int8 activations and int64 with int16. Operators without a sound kernel
// (integer_rules.h), or whose kernel is slower than a float island, stay float between DEQUANTIZE and QUANTIZE;
// neighbours share these, int8 and int16 meet in one QUANTIZE, and between operators of one width stands nothing but a
// requantization where their scales must differ (scale_groups.h).
//
// Inputs, outputs and signatures keep names and order, and their types unless io_type names another: int8, uint8 or
// int16, to which every float32 input and output then changes (slow kernels are used too). Weights that the input file
// has in symmetric int8 keep their values. A weight shared by operators that need different scales is stored for each.
// Change::count = operators made integer. Warnings name operators that stay float because of their numbers.
// FailedPrecondition: no ranges; FLOAT_FALLBACK: the settings forbid float operators (require_full_integer, or
// allow_float_fallback: false) and one cannot be integer; the message names it. InvalidArgument: weights that are not
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
