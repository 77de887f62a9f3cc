#ifndef LATHE_OPTIMIZER_PASSES_FULLY_CONNECT_MATMULS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_FULLY_CONNECT_MATMULS_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Writes a BATCH_MATMUL of an activation with one constant matrix as FULLY_CONNECTED, for full-integer quantization:
// its constant operand would be quantized as an activation is, with one scale (int16 in an int16x8 file), where weights
// of FULLY_CONNECTED are int8 with a scale for each row. litert-quantizer stores int8 in int16 BATCH_MATMULs, which the
// runtime computes wrongly (0 dB on transformer_feed_forward,
// docs/decisions/0023-error-and-size-of-quantized-files.md). Matrices with a batch and a transposed left operand stay,
// and operators of other schemes. Outputs differ by the order of sums. Subgraph 0. Change::count = operators rewritten.
class FullyConnectMatmulsPass : public Pass {
 public:
  std::string_view name() const override { return "fully-connect-matmuls"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FULLY_CONNECT_MATMULS_PASS_H_
