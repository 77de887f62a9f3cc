#ifndef LATHE_OPTIMIZER_PASSES_FLOAT16_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FLOAT16_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Stores float32 constants (weights, biases, slopes, tables) as FLOAT16 behind a DEQUANTIZE, which XNNPACK folds when
// the model is loaded: half the size, float32 computation. A FLOAT16 constant must never reach a compute operator
// directly: kernels would read it as float32 past its end. Values are clamped to +-65504, with a warning that names the
// tensor; outputs differ by the rounding of the weights (relative 2^-10 each; in each channel of a filter the errors
// nearly add up to nothing, half_rounding.h, unless that is not asked for: it takes most of the pass's time). Only
// constants all of whose readers have the scheme float16. Constants that other operators of the file need as they are,
// small ones where the DEQUANTIZE would cost what is saved, and kernels of few weights (weight_plan.h) stay.
// Change::count = constants stored. Any subgraph. InvalidArgument WEIGHTS_NOT_FINITE: with the place.
class Float16Pass : public Pass {
 public:
  explicit Float16Pass(bool balanced = true) : balanced_(balanced) {}
  std::string_view name() const override { return "quantize-float16"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  const bool balanced_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FLOAT16_PASS_H_
