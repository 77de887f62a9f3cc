#ifndef LATHE_OPTIMIZER_PASSES_SUBTRACT_RESIDUAL_CONSTANTS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_SUBTRACT_RESIDUAL_CONSTANTS_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Takes constants that are the same for all channels of a residual stream out of the stream. Layer normalisation
// removes them anyway, but until then they widen the range of every activation that carries them: a transformer whose
// stream holds a large constant loses most of its answers in int8 and none after this rewrite.
//
// From every constant that enters a tensor which ShiftInvariance calls free, the mean of each row over the last
// dimension is subtracted: a constant operand of ADD or SUB (position tables, biases that stand alone), the table of a
// GATHER over axis 0 or EMBEDDING_LOOKUP (row by row, so each token its own), the bias of CONV_2D, DEPTHWISE_CONV_2D,
// FULLY_CONNECTED and TRANSPOSE_CONV without fused activation. Constants whose largest row mean is below a thousandth
// of their largest value stay. A constant that other operators read too is copied for this use when it is small, and
// stays when it is large.
//
// Outputs change by float rounding only (relative 1e-4), and are closer to the exact ones. Change::count = constants
// changed. Any subgraph.
class SubtractResidualConstantsPass : public Pass {
 public:
  std::string_view name() const override { return "subtract-residual-constants"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SUBTRACT_RESIDUAL_CONSTANTS_PASS_H_
