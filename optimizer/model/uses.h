#ifndef LATHE_OPTIMIZER_MODEL_USES_H_
#define LATHE_OPTIMIZER_MODEL_USES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/model.h"

namespace lathe {

// Who reads and who writes each tensor of one subgraph, as it is now: edits made later are not seen. Linear to build,
// constant to ask. Does not keep the subgraph. REQUIRES of every call: the id is in range (VerifyModel has passed).
class UseMap {
 public:
  explicit UseMap(const Subgraph& subgraph);

  // Operators that read the tensor, in execution order; each once, even when it reads the tensor twice.
  absl::Span<const OpId> consumers(TensorId id) const;
  // The operator that writes the tensor (as an output, not an intermediate); invalid for inputs and constants.
  OpId producer(TensorId id) const { return producers_[id.index()]; }
  bool IsSubgraphInput(TensorId id) const { return is_input_[id.index()]; }
  bool IsSubgraphOutput(TensorId id) const { return is_output_[id.index()]; }

 private:
  std::vector<OpId> producers_;
  std::vector<OpId> readers_;    // grouped by tensor
  std::vector<uint32_t> first_;  // readers_ of tensor t: [first_[t], first_[t + 1])
  std::vector<bool> is_input_, is_output_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_USES_H_
