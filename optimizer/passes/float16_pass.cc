#include "optimizer/passes/float16_pass.h"

#include <algorithm>
#include <cmath>

#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// A DEQUANTIZE costs about 250 bytes in the file (operator, tensor, name): below this many elements nothing is won.
constexpr int64_t kElementsMin = 192;

// Kinds whose kernels and XNNPACK take an operand that DEQUANTIZE makes. Others (LSTM, PADV2, control flow) ask for a
// constant when they are prepared.
bool TakesDequantizedConstant(OpKind kind) {
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kBatchMatmul:
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kEmbeddingLookup:
    case OpKind::kFullyConnected:
    case OpKind::kGather:
    case OpKind::kMul:
    case OpKind::kPrelu:
    case OpKind::kSub:
    case OpKind::kTransposeConv:
      return true;
    default:
      return false;
  }
}

bool IsEligible(const Model& model, const Subgraph& subgraph, TensorId id, const UseMap& uses) {
  const Tensor& tensor = subgraph.tensor(id);
  if (!IsDenseFloatConstant(model, tensor) || tensor.NumElements() < kElementsMin) return false;
  if (uses.IsSubgraphOutput(id) || uses.IsSubgraphInput(id) || uses.consumers(id).empty()) return false;
  return std::all_of(uses.consumers(id).begin(), uses.consumers(id).end(),
                     [&](OpId op) { return TakesDequantizedConstant(subgraph.ops[op.index()].kind); });
}

absl::StatusOr<std::vector<uint8_t>> ToHalves(absl::Span<const float> values) {
  const math::MinMax range = math::FindMinMax(values);
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                     "holds a NaN or an infinity; weights must be finite");
  }
  std::vector<uint8_t> bytes(values.size() * sizeof(uint16_t));
  math::ToFloat16(values, absl::MakeSpan(reinterpret_cast<uint16_t*>(bytes.data()), values.size()));
  return bytes;
}

}  // namespace

absl::StatusOr<Change> Float16Pass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    const UseMap uses(model.subgraph(id));
    GraphEditor editor(model, id);
    const size_t tensor_count = model.subgraph(id).tensors.size();
    for (size_t t = 0; t < tensor_count; ++t) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      const TensorId constant(t);
      if (!IsEligible(model, model.subgraph(id), constant, uses)) continue;
      const Tensor original = model.subgraph(id).tensor(constant);
      absl::StatusOr<std::vector<uint8_t>> halves = ToHalves(model.FloatData(original));
      if (!halves.ok()) return Annotate(halves.status(), Where(id, constant, original));

      Tensor stored = original;
      stored.name += "_float16";
      stored.type = TensorType::kFloat16;
      stored.buffer = editor.AddBuffer(*std::move(halves));
      Tensor expanded = original;
      expanded.buffer = BufferId(0);
      Op dequantize;
      dequantize.kind = OpKind::kDequantize;
      dequantize.inputs = {editor.AddTensor(std::move(stored))};
      dequantize.outputs = {editor.AddTensor(std::move(expanded))};
      dequantize.version = MinimalVersion(model.subgraph(id), dequantize);
      editor.ReplaceUses(constant, dequantize.outputs[0]);
      editor.InsertBefore(uses.consumers(constant).front(), std::move(dequantize));
      ++change.count;
    }
    editor.Finish();
  }
  return change;
}

}  // namespace lathe
