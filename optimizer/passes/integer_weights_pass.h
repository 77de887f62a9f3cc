#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Stores the weights of CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV and EMBEDDING_LOOKUP as symmetric
// int8 with one scale for each output channel (max|w| / 127; for each row of an embedding). Activations stay float32 in
// the file.
//   kDynamicRange  the int8 tensor goes on the operator; its kernel quantizes the float input while it runs. Biases
//   stay
//                  float32, inputs are quantized symmetrically. DEPTHWISE_CONV_2D is stored as in kWeightOnly: its
//                  hybrid kernel is slower than float.
//   kWeightOnly    the int8 tensor goes behind a DEQUANTIZE that is computed once: float32 computation.
// Operators whose weights are too small to win bytes stay float. No data needed. Change::count = operators (dynamic
// range) or constants (weight only) changed. Any subgraph.
class IntegerWeightsPass : public Pass {
 public:
  enum class Mode { kDynamicRange, kWeightOnly };
  explicit IntegerWeightsPass(Mode mode) : mode_(mode) {}
  std::string_view name() const override {
    return mode_ == Mode::kDynamicRange ? "quantize-dynamic-range" : "quantize-weight-only";
  }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;

 private:
  Mode mode_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_WEIGHTS_PASS_H_
