#ifndef LATHE_OPTIMIZER_PASSES_SHARE_CONSTANTS_PASS_H_
#define LATHE_OPTIMIZER_PASSES_SHARE_CONSTANTS_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Lets constants of the same type and bytes share one buffer, so that the file holds the bytes once; tensors keep their
// names, shapes and quantization. Later passes may treat the tensors differently all the same: GraphEditor gives a
// tensor whose data changes a buffer of its own. Variables and metadata keep theirs. Outputs are bit-identical.
// Change::count = tensors whose buffer became another one. All subgraphs together.
class ShareConstantsPass : public Pass {
 public:
  std::string_view name() const override { return "share-constants"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SHARE_CONSTANTS_PASS_H_
