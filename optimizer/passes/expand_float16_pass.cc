#include "optimizer/passes/expand_float16_pass.h"

#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"

namespace lathe {
namespace {

bool IsFloat16Expansion(const Model& model, const Subgraph& subgraph, const Op& op, const UseMap& uses) {
  if (op.kind != OpKind::kDequantize || op.inputs.size() != 1 || op.outputs.size() != 1) return false;
  const Tensor& from = subgraph.tensor(op.inputs[0]);
  return from.type == TensorType::kFloat16 && from.sparsity == nullptr && model.IsConstant(from) &&
         !uses.IsSubgraphOutput(op.outputs[0]);
}

std::vector<uint8_t> Expand(absl::Span<const uint8_t> halves) {
  std::vector<uint8_t> bytes(halves.size() * 2);
  math::FromFloat16(absl::MakeSpan(reinterpret_cast<const uint16_t*>(halves.data()), halves.size() / 2),
                    absl::MakeSpan(reinterpret_cast<float*>(bytes.data()), bytes.size() / 4));
  return bytes;
}

}  // namespace

absl::StatusOr<Change> ExpandFloat16Pass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    const UseMap uses(model.subgraph(id));
    GraphEditor editor(model, id);
    for (size_t i = 0; i < model.subgraph(id).ops.size(); ++i) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      const Op op = model.subgraph(id).ops[i];
      if (!IsFloat16Expansion(model, model.subgraph(id), op, uses)) continue;
      editor.SetData(op.outputs[0], Expand(model.buffer(model.subgraph(id).tensor(op.inputs[0]).buffer).bytes()));
      editor.Erase(OpId(i));
      ++change.count;
    }
    editor.Finish();
  }
  return change;
}

}  // namespace lathe
