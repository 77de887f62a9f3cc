#include "optimizer/passes/subtract_residual_constants_pass.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "optimizer/math/row_means.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/shift_invariance.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Below this share of the largest value a row mean costs an int8 range less than its rounding; what rounding leaves of
// a subtracted mean is far below it, so a second run finds nothing.
constexpr double kMeanShareMin = 1e-3;

// A constant with other readers is copied for the stream up to this size: a bias or a position table, not a vocabulary.
constexpr int64_t kCopiedElementsMax = 16384;

// One place where a constant enters a stream.
struct Entry {
  OpId op;
  size_t operand;
};

// The operand of `op` that puts a constant's rows into its first output unchanged, or nullopt.
std::optional<size_t> EnteringOperand(const Model& model, const Subgraph& graph, const Op& op) {
  if (FusedActivation(op) != Activation::kNone) return std::nullopt;
  const auto is_constant = [&](size_t operand) {
    return op.input(operand).valid() && IsDenseFloatConstant(model, graph.tensor(op.inputs[operand]));
  };
  switch (op.kind) {
    case OpKind::kAdd:
    case OpKind::kSub:
      if (is_constant(0) == is_constant(1)) return std::nullopt;
      return is_constant(0) ? 0 : 1;
    case OpKind::kGather:
      if (!is_constant(0) || graph.tensor(op.inputs[0]).shape.size() != 2 || GetGatherAxis(op) != 0)
        return std::nullopt;
      return 0;
    case OpKind::kEmbeddingLookup:
      if (!is_constant(1) || graph.tensor(op.inputs[1]).shape.size() != 2) return std::nullopt;
      return 1;
    default: {
      const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
      if (!operands || !operands->bias || !is_constant(*operands->bias)) return std::nullopt;
      return operands->bias;
    }
  }
}

// The length of the constant's rows along the last dimension of `result`, or 0 when they do not lie along it.
size_t RowLength(const Tensor& constant, const Tensor& result) {
  if (constant.shape.empty()) return 1;  // a scalar is the same for all channels
  const int32_t last = constant.shape.back();
  return last > 0 && (last == 1 || last == result.shape.back()) ? static_cast<size_t>(last) : 0;
}

bool IsWorthIt(absl::Span<const float> values, size_t row) {
  const math::RowMeans means = math::FindRowMeans(values, row);
  return std::isfinite(means.magnitude) && means.largest_mean > kMeanShareMin * means.magnitude;
}

// Constants by the places where they enter a free tensor, in execution order of the first place.
std::map<TensorId, std::vector<Entry>> FindEntries(const Model& model, SubgraphId id, const UseMap& uses) {
  const Subgraph& graph = model.subgraph(id);
  const ShiftInvariance invariance(model, id, uses);
  std::map<TensorId, std::vector<Entry>> entries;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (op.outputs.empty() || !op.outputs[0].valid() || !invariance.IsFree(op.outputs[0])) continue;
    const std::optional<size_t> operand = EnteringOperand(model, graph, op);
    if (!operand) continue;
    const Tensor& constant = graph.tensor(op.inputs[*operand]);
    const size_t row = RowLength(constant, graph.tensor(op.outputs[0]));
    // A constant that is the operator's weights as well, in a file made to confuse.
    if (std::count(op.inputs.begin(), op.inputs.end(), op.inputs[*operand]) != 1) continue;
    if (row == 0 || constant.NumElements() == 0 || !IsWorthIt(model.FloatData(constant), row)) continue;
    entries[op.inputs[*operand]].push_back({OpId(i), *operand});
  }
  return entries;
}

std::vector<uint8_t> WithoutRowMeans(absl::Span<const float> values, size_t row) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  math::SubtractRowMeans(values, row, absl::MakeSpan(reinterpret_cast<float*>(bytes.data()), values.size()));
  return bytes;
}

}  // namespace

absl::StatusOr<Change> SubtractResidualConstantsPass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    const UseMap uses(model.subgraph(id));
    const std::map<TensorId, std::vector<Entry>> entries = FindEntries(model, id, uses);
    GraphEditor editor(model, id);
    for (const auto& [constant, places] : entries) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      const Tensor tensor = model.subgraph(id).tensor(constant);
      const bool owned = uses.consumers(constant).size() == places.size() && !uses.IsSubgraphOutput(constant);
      if (!owned && tensor.NumElements() > kCopiedElementsMax) {
        change.warnings.push_back(absl::StrFormat(
            "%s: the constant part of its rows stays, because operators outside the residual stream read it too",
            Where(id, constant, tensor)));
        continue;
      }
      const size_t row = tensor.shape.empty() ? 1 : static_cast<size_t>(tensor.shape.back());
      TensorId target = constant;
      if (!owned) {
        Tensor copy = tensor;
        copy.name += "_centred";
        target = editor.AddTensor(std::move(copy));
        for (const Entry& place : places) editor.SetInput(place.op, place.operand, target);
      }
      editor.SetData(target, WithoutRowMeans(model.FloatData(tensor), row));
      ++change.count;
    }
    editor.Finish();
  }
  return change;
}

}  // namespace lathe
