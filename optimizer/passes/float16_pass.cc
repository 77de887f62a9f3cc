#include "optimizer/passes/float16_pass.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weight_plan.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// A DEQUANTIZE costs about 250 bytes in the file (operator, tensor, name): below this many elements nothing is won.
constexpr int64_t kElementsMin = 192;
constexpr float kHalfMax = 65504;

// Kinds whose kernels and XNNPACK take an operand that DEQUANTIZE makes. Others (PADV2, control flow) ask for a
// constant when they are prepared. Biases stay float32: they are a hundredth of the bytes, and an error in one shifts a
// whole channel.
bool TakesDequantizedConstant(const Op& op, TensorId constant) {
  if (const std::optional<WeightOperands> operands = GetWeightOperands(op.kind)) {
    return op.inputs[operands->weights] == constant;
  }
  const std::vector<size_t> recurrent = RecurrentWeightOperands(op);
  if (!recurrent.empty()) {
    return std::any_of(recurrent.begin(), recurrent.end(), [&](size_t i) { return op.inputs[i] == constant; });
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

// One constant as FLOAT16. Values that binary16 does not reach are clamped, which `warnings` tells.
absl::StatusOr<std::vector<uint8_t>> ToHalves(absl::Span<const float> values, const std::string& place,
                                              std::vector<std::string>& warnings) {
  const math::MinMax range = math::FindMinMax(values);
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                     absl::StrFormat("%s: holds a NaN or an infinity; weights must be finite", place));
  }
  if (std::max(-range.lo, range.hi) > kHalfMax) {
    const auto clamped = std::count_if(values.begin(), values.end(), [](float v) { return std::fabs(v) > kHalfMax; });
    warnings.push_back(
        absl::StrFormat("%s: %d of %d values lie outside +-%.0f, the reach of float16, and were clamped "
                        "(range %g to %g)",
                        place, clamped, values.size(), kHalfMax, range.lo, range.hi));
  }
  std::vector<uint8_t> bytes(values.size() * sizeof(uint16_t));
  math::ToFloat16(values, absl::MakeSpan(reinterpret_cast<uint16_t*>(bytes.data()), values.size()));
  return bytes;
}

// Edits one subgraph.
class SubgraphEdit {
 public:
  SubgraphEdit(Model& model, SubgraphId id, const PassContext& context, bool keep_depthwise)
      : model_(model),
        id_(id),
        context_(context),
        keep_depthwise_(keep_depthwise),
        uses_(model.subgraph(id)),
        editor_(model, id) {}

  absl::Status StoreAll(Change& change) {
    const size_t tensor_count = model_.subgraph(id_).tensors.size();
    for (size_t t = 0; t < tensor_count; ++t) {
      LATHE_RETURN_IF_ERROR(context_.cancel.Check());
      if (!IsEligible(TensorId(t))) continue;
      LATHE_RETURN_IF_ERROR(Store(TensorId(t), change));
      ++change.count;
    }
    return absl::OkStatus();
  }

  void Finish() { editor_.Finish(); }

 private:
  bool IsEligible(TensorId id) const {
    const Subgraph& subgraph = model_.subgraph(id_);
    const Tensor& tensor = subgraph.tensor(id);
    const absl::Span<const OpId> consumers = uses_.consumers(id);
    if (!IsDenseFloatConstant(model_, tensor) || tensor.NumElements() < kElementsMin) return false;
    if (uses_.IsSubgraphOutput(id) || uses_.IsSubgraphInput(id) || consumers.empty()) return false;
    if (keep_depthwise_ && IsDepthwiseFilter(subgraph, consumers)) return false;
    return std::all_of(consumers.begin(), consumers.end(), [&](OpId reader) {
      const Op& op = subgraph.ops[reader.index()];
      const bool taken = context_.settings == nullptr || context_.settings->For(id_, op).scheme == Scheme::kFloat16;
      return taken && TakesDequantizedConstant(op, id);
    });
  }

  absl::Status Store(TensorId id, Change& change) {
    Tensor stored = model_.subgraph(id_).tensor(id), expanded = stored;
    LATHE_ASSIGN_OR_RETURN(std::vector<uint8_t> halves,
                           ToHalves(model_.FloatData(stored), Where(id_, id, stored), change.warnings));
    stored.name += "_float16";
    stored.type = TensorType::kFloat16;
    stored.buffer = editor_.AddBuffer(std::move(halves));
    expanded.buffer = BufferId(0);
    Op dequantize;
    dequantize.kind = OpKind::kDequantize;
    dequantize.inputs = {editor_.AddTensor(std::move(stored))};
    dequantize.outputs = {editor_.AddTensor(std::move(expanded))};
    dequantize.version = MinimalVersion(model_.subgraph(id_), dequantize);
    editor_.ReplaceUses(id, dequantize.outputs[0]);
    editor_.InsertBefore(uses_.consumers(id).front(), std::move(dequantize));
    return absl::OkStatus();
  }

  Model& model_;
  const SubgraphId id_;
  const PassContext& context_;
  const bool keep_depthwise_;
  const UseMap uses_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<Change> Float16Pass::Edit(Model& model, PassContext& context) const {
  Change change;
  const bool keep_depthwise = KeepsDepthwiseFilters(model);
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    SubgraphEdit edit(model, SubgraphId(s), context, keep_depthwise);
    const absl::Status status = edit.StoreAll(change);
    edit.Finish();  // also after an error: an editor must not be left half-way
    LATHE_RETURN_IF_ERROR(status);
  }
  return change;
}

}  // namespace lathe
