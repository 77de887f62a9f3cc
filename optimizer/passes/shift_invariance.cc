#include "optimizer/passes/shift_invariance.h"

#include <algorithm>

#include "optimizer/model/op_options.h"

namespace lathe {

ShiftInvariance::ShiftInvariance(const Model& model, SubgraphId subgraph, const UseMap& uses)
    : model_(model),
      graph_(model.subgraph(subgraph)),
      uses_(uses),
      exposed_(graph_.tensors.size(), false),
      free_(graph_.tensors.size(), false) {
  for (TensorId id : graph_.outputs) exposed_[id.index()] = true;
  for (const Signature& signature : model.signatures) {
    if (signature.subgraph != subgraph) continue;
    for (const SignatureEntry& entry : signature.outputs) exposed_[entry.tensor.index()] = true;
  }
  // Backwards: the readers of a tensor run after its producer, so what they write is decided already.
  for (size_t i = graph_.ops.size(); i-- > 0;) {
    for (TensorId id : graph_.ops[i].outputs) {
      if (id.valid() && IsCandidate(id)) {
        const auto& readers = uses_.consumers(id);
        free_[id.index()] = std::all_of(readers.begin(), readers.end(), [&](OpId reader) {
          const Op& op = graph_.ops[reader.index()];
          return TakesAway(op, id) || HandsOn(op, id);
        });
      }
    }
  }
}

bool ShiftInvariance::IsCandidate(TensorId id) const {
  const Tensor& tensor = graph_.tensor(id);
  return tensor.type == TensorType::kFloat32 && !tensor.shape.empty() && !tensor.is_variable && !exposed_[id.index()] &&
         !uses_.consumers(id).empty();
}

TensorId ShiftInvariance::MeanOf(TensorId mean) const {
  const OpId producer = uses_.producer(mean);
  if (!producer.valid()) return TensorId();
  const Op& op = graph_.ops[producer.index()];
  if (op.kind != OpKind::kMean || GetKeepDims(op) != true || !op.input(0).valid() || !op.input(1).valid()) {
    return TensorId();
  }
  const Tensor& axes = graph_.tensor(op.inputs[1]);
  if (!model_.IsConstant(axes) || axes.type != TensorType::kInt32 || axes.NumElements() != 1) return TensorId();
  const auto rank = static_cast<int32_t>(graph_.tensor(op.inputs[0]).shape.size());
  const int32_t axis = model_.Int32Data(axes)[0];
  return axis == -1 || axis == rank - 1 ? op.inputs[0] : TensorId();
}

bool ShiftInvariance::TakesAway(const Op& op, TensorId tensor) const {
  const auto subtracts_mean = [&](const Op& difference) {
    if (difference.kind != OpKind::kSub && difference.kind != OpKind::kSquaredDifference) return false;
    const TensorId a = difference.input(0), b = difference.input(1);
    return (a == tensor && MeanOf(b) == tensor) || (b == tensor && MeanOf(a) == tensor);
  };
  if (op.kind != OpKind::kMean) return subtracts_mean(op);
  const TensorId mean = op.outputs[0];
  if (MeanOf(mean) != tensor || exposed_[mean.index()]) return false;
  const auto& readers = uses_.consumers(mean);
  return std::all_of(readers.begin(), readers.end(),
                     [&](OpId reader) { return subtracts_mean(graph_.ops[reader.index()]); });
}

bool ShiftInvariance::KeepsLastDimension(TensorId from, TensorId to) const {
  const Tensor &a = graph_.tensor(from), &b = graph_.tensor(to);
  if (a.shape.empty() || b.shape.empty() || a.shape.back() != b.shape.back()) return false;
  const auto last_is_dynamic = [](const Tensor& t) {
    return !t.shape_signature.empty() && t.shape_signature.back() < 0;
  };
  return !last_is_dynamic(a) && !last_is_dynamic(b);
}

bool ShiftInvariance::HandsOn(const Op& op, TensorId tensor) const {
  const bool adds = (op.kind == OpKind::kAdd || op.kind == OpKind::kSub) && FusedActivation(op) == Activation::kNone;
  const bool reshapes = op.kind == OpKind::kReshape && op.input(0) == tensor;
  if ((!adds && !reshapes) || op.outputs.size() != 1) return false;
  return free_[op.outputs[0].index()] && KeepsLastDimension(tensor, op.outputs[0]);
}

}  // namespace lathe
