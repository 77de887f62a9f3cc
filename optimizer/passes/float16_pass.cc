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
// constant when they are prepared. Biases stay float32: they are a hundredth of the bytes, and an error in one shifts a
// whole channel.
bool TakesDequantizedConstant(const Op& op, TensorId constant) {
  if (const std::optional<WeightOperands> operands = GetWeightOperands(op.kind)) {
    return op.inputs[operands->weights] == constant;
  }
  switch (op.kind) {
    case OpKind::kAdd:
    case OpKind::kBatchMatmul:
    case OpKind::kGather:
    case OpKind::kMul:
    case OpKind::kPrelu:
    case OpKind::kSub:
      return true;
    default:
      return false;
  }
}

bool IsDepthwiseFilter(const Subgraph& subgraph, absl::Span<const OpId> consumers) {
  return std::any_of(consumers.begin(), consumers.end(),
                     [&](OpId op) { return subgraph.ops[op.index()].kind == OpKind::kDepthwiseConv2d; });
}

// A depthwise filter has too few taps for rounding errors to average out. Where all of them are at most a twentieth of
// the constants, keeping them float32 costs little and is worth decibels (mobilenet_v2 with random weights: 44.1 dB
// for 7,054,000 bytes with float16 filters, 46.2 dB for 7,179,008 without).
bool KeepsDepthwiseFilters(const Model& model) {
  int64_t filters = 0, all = 0;
  for (const Subgraph& subgraph : model.subgraphs) {
    const UseMap uses(subgraph);
    for (size_t t = 0; t < subgraph.tensors.size(); ++t) {
      // Those stored by an earlier run count too, so that a second run decides the same.
      const bool stored = subgraph.tensors[t].type == TensorType::kFloat16 && model.IsConstant(subgraph.tensors[t]);
      if (stored) all += subgraph.tensors[t].NumElements();
      if (!IsDenseFloatConstant(model, subgraph.tensors[t])) continue;
      all += subgraph.tensors[t].NumElements();
      if (IsDepthwiseFilter(subgraph, uses.consumers(TensorId(t)))) filters += subgraph.tensors[t].NumElements();
    }
  }
  return filters * 20 <= all;
}

bool IsEligible(const Model& model, const Subgraph& subgraph, TensorId id, const UseMap& uses, bool keep_depthwise) {
  const Tensor& tensor = subgraph.tensor(id);
  const absl::Span<const OpId> consumers = uses.consumers(id);
  if (!IsDenseFloatConstant(model, tensor) || tensor.NumElements() < kElementsMin) return false;
  if (uses.IsSubgraphOutput(id) || uses.IsSubgraphInput(id) || consumers.empty()) return false;
  if (keep_depthwise && IsDepthwiseFilter(subgraph, consumers)) return false;
  return std::all_of(consumers.begin(), consumers.end(),
                     [&](OpId op) { return TakesDequantizedConstant(subgraph.ops[op.index()], id); });
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
  const bool keep_depthwise = KeepsDepthwiseFilters(model);
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    const UseMap uses(model.subgraph(id));
    GraphEditor editor(model, id);
    const size_t tensor_count = model.subgraph(id).tensors.size();
    for (size_t t = 0; t < tensor_count; ++t) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      const TensorId constant(t);
      if (!IsEligible(model, model.subgraph(id), constant, uses, keep_depthwise)) continue;
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
