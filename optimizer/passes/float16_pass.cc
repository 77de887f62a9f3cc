#include "optimizer/passes/float16_pass.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optimizer/math/half_rounding.h"
#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weight_plan.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// A DEQUANTIZE costs about 170 bytes in the file (operator, tensor, buffer): below this many elements nothing is won.
constexpr int64_t kElementsMin = 96;
constexpr float kHalfMax = 65504;

// Kinds whose kernels and XNNPACK take an operand that DEQUANTIZE makes. Others (PADV2, control flow) ask for a
// constant when they are prepared.
bool TakesDequantizedConstant(const Op& op, TensorId constant) {
  if (const std::optional<WeightOperands> operands = GetWeightOperands(op.kind)) {
    return op.input(operands->weights) == constant || (operands->bias && op.input(*operands->bias) == constant);
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

bool IsKernel(TensorId constant, const Op& reader) {
  const std::optional<WeightOperands> operands = GetWeightOperands(reader.kind);
  return operands && reader.input(operands->weights) == constant;
}

// The channels of a constant that is the filter of a convolution or a matrix; nullopt for others.
std::optional<math::ChannelLayout> LayoutOf(const Op& reader, TensorId id, const Tensor& tensor) {
  switch (reader.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kFullyConnected:
    case OpKind::kTransposeConv:
      break;
    default:
      return std::nullopt;
  }
  const WeightOperands operands = *GetWeightOperands(reader.kind);
  const bool is_filter = reader.inputs[operands.weights] == id;
  if (!is_filter || static_cast<size_t>(operands.axis) >= tensor.shape.size()) return std::nullopt;
  return LayoutAlong(tensor, operands.axis);
}

// One constant as FLOAT16. Values that binary16 does not reach are clamped, which `warnings` tells.
absl::StatusOr<std::vector<uint8_t>> ToHalves(absl::Span<const float> values,
                                              const std::optional<math::ChannelLayout>& layout,
                                              const std::string& place, std::vector<std::string>& warnings) {
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
  const absl::Span<uint16_t> halves(reinterpret_cast<uint16_t*>(bytes.data()), values.size());
  if (layout) {
    math::ToBalancedFloat16(values, *layout, halves);
  } else {
    math::ToFloat16(values, halves);
  }
  return bytes;
}

// Edits one subgraph.
class SubgraphEdit {
 public:
  SubgraphEdit(Model& model, SubgraphId id, const PassContext& context, bool balanced)
      : model_(model), id_(id), context_(context), balanced_(balanced), uses_(model.subgraph(id)), editor_(model, id) {}

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
    if (IsKernel(id, subgraph.ops[consumers.front().index()]) && AreFewWeights(subgraph, tensor)) return false;
    return std::all_of(consumers.begin(), consumers.end(), [&](OpId reader) {
      const Op& op = subgraph.ops[reader.index()];
      const bool taken = context_.settings == nullptr || context_.settings->For(id_, op).scheme == Scheme::kFloat16;
      return taken && TakesDequantizedConstant(op, id);
    });
  }

  absl::Status Store(TensorId id, Change& change) {
    Tensor stored = model_.subgraph(id_).tensor(id), expanded = stored;
    const Op& reader = model_.subgraph(id_).ops[uses_.consumers(id).front().index()];
    const auto layout = balanced_ ? LayoutOf(reader, id, stored) : std::nullopt;
    LATHE_ASSIGN_OR_RETURN(std::vector<uint8_t> halves,
                           ToHalves(model_.FloatData(stored), layout, Where(id_, id, stored), change.warnings));
    stored.name.clear();  // what the DEQUANTIZE writes keeps it: names of layers take more bytes than small biases
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
  const bool balanced_;
  const UseMap uses_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<Change> Float16Pass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    SubgraphEdit edit(model, SubgraphId(s), context, balanced_);
    const absl::Status status = edit.StoreAll(change);
    edit.Finish();  // also after an error: an editor must not be left half-way
    LATHE_RETURN_IF_ERROR(status);
  }
  return change;
}

}  // namespace lathe
