#ifndef LATHE_OPTIMIZER_PASSES_SHIFT_INVARIANCE_H_
#define LATHE_OPTIMIZER_PASSES_SHIFT_INVARIANCE_H_

#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"

namespace lathe {

// Which tensors of a subgraph may be shifted without changing what the subgraph computes: by any amount that is the
// same for all indices of the last dimension (all channels of one token), different amounts in different rows allowed.
// That holds when every reader either takes the shift away, as a layer normalisation does that is spelled out (MEAN
// over the last dimension with keep_dims, then the tensor minus that mean or their SQUARED_DIFFERENCE), or hands it on
// unchanged to a tensor for which the same holds: ADD, SUB, and RESHAPE that keeps the last dimension. Anything else,
// an output of the subgraph, a signature or another subgraph among the readers, and the tensor is not free.
//
// Linear in the operands. REQUIRES: the model verifies.
class ShiftInvariance {
 public:
  ShiftInvariance(const Model& model, SubgraphId subgraph, const UseMap& uses);

  // True: shifting this tensor's rows changes no output. False for constants, integers and scalars.
  bool IsFree(TensorId id) const { return free_[id.index()]; }

 private:
  bool TakesAway(const Op& op, TensorId tensor) const;
  bool HandsOn(const Op& op, TensorId tensor) const;
  bool IsCandidate(TensorId id) const;
  // The tensor of which `mean` is the mean over the last dimension (kept with size 1), or an invalid id.
  TensorId MeanOf(TensorId mean) const;
  bool KeepsLastDimension(TensorId from, TensorId to) const;

  const Model& model_;
  const Subgraph& graph_;
  const UseMap& uses_;
  std::vector<bool> exposed_;  // outputs of the subgraph and tensors that a signature names
  std::vector<bool> free_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SHIFT_INVARIANCE_H_
