#ifndef LATHE_OPTIMIZER_PASSES_FOLD_CONSTANTS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FOLD_CONSTANTS_PASS_H_

#include "optimizer/passes/pass.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Computes operators whose inputs are all constants while the model is optimized, so that what they make is a constant:
//   DEQUANTIZE of FLOAT16 and DENSIFY of FLOAT32 and FLOAT16 constants, when a reader's scheme quantizes weights to
//              integers and so wants to see float32 (the float16 scheme keeps them as they are stored);
//   DEQUANTIZE of symmetric INT8 and INT4 weights, when every reader takes them as weights and its scheme wants them in
//              another form: on the operator instead of behind a DEQUANTIZE, or in fewer bits. Weights keep the grid
//              that they are on: the quantizing passes find it again (math/weight_grid.h) and store the very same
//              integers;
//   arithmetic and shapes of small constants (constant_evaluator.h), always.
// Results are what the runtime computes, to the bit for DEQUANTIZE, DENSIFY, shapes and integers, to the last place for
// float arithmetic. RESHAPE and its like share the bytes they had. Nothing else is copied.
//
// Outputs of a subgraph, variables and constants with dynamic shapes stay. Settings of each reader come from
// PassContext::settings, else from the constructor. Change::count = operators computed. Any subgraph.
class FoldConstantsPass : public Pass {
 public:
  explicit FoldConstantsPass(QuantizeSettings settings) : settings_(std::move(settings)) {}
  std::string_view name() const override { return "fold-constants"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  QuantizeSettings settings_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FOLD_CONSTANTS_PASS_H_
