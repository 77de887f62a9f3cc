#ifndef LATHE_OPTIMIZER_PASSES_EXPAND_FLOAT16_PASS_H_
#define LATHE_OPTIMIZER_PASSES_EXPAND_FLOAT16_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Turns FLOAT16 constants behind DEQUANTIZE into FLOAT32 constants, so that the integer schemes see weights. Outputs
// are bit-identical: DEQUANTIZE computes the same values. The file grows until a later pass shrinks it. Sparse
// constants stay. Change::count = constants expanded. Any subgraph.
class ExpandFloat16Pass : public Pass {
 public:
  std::string_view name() const override { return "expand-float16"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_EXPAND_FLOAT16_PASS_H_
