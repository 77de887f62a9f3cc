#ifndef LATHE_OPTIMIZER_PASSES_DROP_UNUSED_PASS_H_
#define LATHE_OPTIMIZER_PASSES_DROP_UNUSED_PASS_H_

#include "optimizer/passes/pass.h"

namespace lathe {

// Drops what computes or holds nothing that anyone sees: operators whose outputs nobody reads, tensors that nothing
// refers to, buffers without a tensor. Operators that do more than write their outputs stay whoever reads them: control
// flow and whatever else runs a subgraph, custom operators, variables and hash tables, random numbers, operators
// without outputs. Inputs of subgraphs stay, and so do subgraphs, which other programs may call by number.
// Outputs are bit-identical. Change::count = operators and tensors dropped. Any subgraph.
class DropUnusedPass : public Pass {
 public:
  std::string_view name() const override { return "drop-unused"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext& context) const override;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_DROP_UNUSED_PASS_H_
