#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_

#include "optimizer/passes/pass.h"
#include "optimizer/passes/weight_plan.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Stores weights and tables as int8, int4 or int2 with a scale for each tensor, channel or block; activations stay
// float32 in the file. weight_plan.h says which constants and in which form.
//   kDynamicRange  operators of scheme dynamic-range: their kernels read integers and quantize the float input while
//                  they run; where no such kernel is right and fast, the weights stand behind a DEQUANTIZE.
//   kWeightOnly    operators of scheme weight-only: behind a DEQUANTIZE that is computed once; float32 computation.
//   kRecurrent     operators of scheme full-integer whose kind has no full-integer kernel here but recurrent weights
//                  (LSTM and its relatives): int8 as in kDynamicRange.
// Biases stay float32. Where PassContext::weights has levels of the form's width for an operator of subgraph 0, they
// are taken instead of the nearest ones, and its bias shift is added. Constants that would not save bytes stay float.
// Change::count = operators (where the kernel reads integers or gives them) and DEQUANTIZEs of constants made. Any
// subgraph. InvalidArgument WEIGHTS_NOT_FINITE: with the place.
class IntegerWeightsPass : public Pass {
 public:
  enum class Mode { kDynamicRange, kWeightOnly, kRecurrent };
  // `settings` are those of every operator when the context has no table; their scheme is the mode's, set or not.
  explicit IntegerWeightsPass(Mode mode, QuantizeSettings settings = {});
  std::string_view name() const override;
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  WeightPlan Plan(const Model& model, SubgraphId subgraph, const Op& op, const SettingsTable* table) const;

  Mode mode_;
  QuantizeSettings settings_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_
