#include "optimizer/passes/drop_unused_pass.h"

#include <algorithm>
#include <vector>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// True for operators that are known by nothing but their outputs.
bool OnlyWritesItsOutputs(const Subgraph& graph, const Op& op) {
  switch (op.kind) {
    case OpKind::kCustom:
    case OpKind::kDelegate:
    case OpKind::kPlaceholderForGreaterOpCodes:
    case OpKind::kStablehloCustomCall:
    case OpKind::kStablehloRngBitGenerator:
    case OpKind::kMultinomial:
    case OpKind::kRandomStandardNormal:
    case OpKind::kRandomUniform:
      return false;
    default:
      break;
  }
  if (op.outputs.empty() || !ReferencedSubgraphs(op).empty()) return false;
  const auto holds_state = [&](TensorId id) {
    if (!id.valid()) return false;
    const Tensor& tensor = graph.tensor(id);
    return tensor.is_variable || tensor.type == TensorType::kResource || tensor.type == TensorType::kVariant;
  };
  const auto none = [&](const std::vector<TensorId>& ids) { return std::none_of(ids.begin(), ids.end(), holds_state); };
  return none(op.inputs) && none(op.outputs) && none(op.intermediates);
}

// Operators of one subgraph whose outputs reach nobody. Backwards, so that what only they read goes with them.
std::vector<OpId> FindDeadOps(const Model& model, SubgraphId id) {
  const Subgraph& graph = model.subgraph(id);
  std::vector<bool> read(graph.tensors.size(), false);
  for (TensorId output : graph.outputs) read[output.index()] = true;
  for (const Signature& signature : model.signatures) {
    if (signature.subgraph != id) continue;
    for (const SignatureEntry& entry : signature.outputs) read[entry.tensor.index()] = true;
  }
  std::vector<OpId> dead;
  for (size_t i = graph.ops.size(); i-- > 0;) {
    const Op& op = graph.ops[i];
    const bool is_read = std::any_of(op.outputs.begin(), op.outputs.end(),
                                     [&](TensorId output) { return output.valid() && read[output.index()]; });
    if (!is_read && OnlyWritesItsOutputs(graph, op)) {
      dead.push_back(OpId(i));
      continue;
    }
    for (TensorId input : op.inputs) {
      if (input.valid()) read[input.index()] = true;
    }
  }
  return dead;
}

size_t CountParts(const Model& model) {
  size_t count = 0;
  for (const Subgraph& subgraph : model.subgraphs) count += subgraph.tensors.size() + subgraph.ops.size();
  return count;
}

}  // namespace

absl::StatusOr<Change> DropUnusedPass::Edit(Model& model, PassContext& context) const {
  const size_t before = CountParts(model);
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    LATHE_RETURN_IF_ERROR(context.cancel.Check());
    GraphEditor editor(model, SubgraphId(s));
    for (OpId op : FindDeadOps(model, SubgraphId(s))) editor.Erase(op);
    editor.DropUnused();
    editor.Finish();
  }
  Change change;
  change.count = static_cast<int64_t>(before - CountParts(model));
  return change;
}

}  // namespace lathe
