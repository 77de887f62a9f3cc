#include "optimizer/model/uses.h"

namespace lathe {
namespace {

// Calls visit(tensor) once for each tensor the operator reads. `last` remembers the operator that saw a tensor last.
template <typename Visit>
void ForEachInput(const Op& op, OpId id, std::vector<OpId>& last, const Visit& visit) {
  for (TensorId input : op.inputs) {
    if (!input.valid() || last[input.index()] == id) continue;
    last[input.index()] = id;
    visit(input);
  }
}

}  // namespace

UseMap::UseMap(const Subgraph& subgraph)
    : producers_(subgraph.tensors.size()),
      first_(subgraph.tensors.size() + 1, 0),
      is_input_(subgraph.tensors.size(), false),
      is_output_(subgraph.tensors.size(), false) {
  std::vector<OpId> last(subgraph.tensors.size());
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    ForEachInput(op, OpId(i), last, [&](TensorId input) { ++first_[input.index() + 1]; });
    for (TensorId output : op.outputs) {
      if (output.valid()) producers_[output.index()] = OpId(i);
    }
  }
  for (size_t t = 1; t < first_.size(); ++t) first_[t] += first_[t - 1];
  readers_.resize(first_.back());
  std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
  last.assign(last.size(), OpId());
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    ForEachInput(subgraph.ops[i], OpId(i), last, [&](TensorId input) { readers_[next[input.index()]++] = OpId(i); });
  }
  for (TensorId id : subgraph.inputs) is_input_[id.index()] = true;
  for (TensorId id : subgraph.outputs) is_output_[id.index()] = true;
}

absl::Span<const OpId> UseMap::consumers(TensorId id) const {
  const uint32_t first = first_[id.index()];
  return absl::Span<const OpId>(readers_).subspan(first, first_[id.index() + 1] - first);
}

}  // namespace lathe
