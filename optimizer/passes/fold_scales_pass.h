#ifndef LATHE_OPTIMIZER_PASSES_FOLD_SCALES_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FOLD_SCALES_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Folds what is left of batch normalisation into the weights and biases around it.
//   After CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV without fused activation: MUL, ADD, SUB of a
//     constant, SUB from a constant and DIV by one, where the constant is a scalar or has one value for each channel. A
//     fused activation of the folded operator moves along.
//   Before CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV: MUL and DIV by such a constant; before CONV_2D
//     and DEPTHWISE_CONV_2D that read no padding and before FULLY_CONNECTED also ADD and SUB of one.
//   RELU and RELU6 after one of these convolutions, FULLY_CONNECTED, ADD, SUB or MUL without fused activation are fused
//     into it.
// Only where the tensor between has one reader and is no output, where weights and biases are float32 constants of this
// operator alone (a bias is copied), and where the folded values stay finite. Outputs change by float rounding only
// (relative 1e-5); fused activations not at all. The convolution writes under the folded operator's output name.
// Change::count = operators folded. Any subgraph.
class FoldScalesPass : public Pass {
 public:
  std::string_view name() const override { return "fold-scales"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FOLD_SCALES_PASS_H_
