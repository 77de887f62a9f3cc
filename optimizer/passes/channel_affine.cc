#include "optimizer/passes/channel_affine.h"

#include <algorithm>
#include <cmath>

#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// True when the constant has one value, or one for each index of the last dimension of `data`, and broadcasts to the
// data's own shape.
bool IsPerChannel(const Tensor& constant, const Tensor& data) {
  if (constant.shape.size() > data.shape.size() || constant.NumElements() == 0) return false;
  if (constant.NumElements() == 1) return true;
  return constant.shape.back() == data.shape.back() && constant.NumElements() == data.shape.back();
}

}  // namespace

std::optional<ChannelAffine> FindChannelAffine(const Model& model, const Subgraph& subgraph, const Op& op) {
  if (op.kind != OpKind::kAdd && op.kind != OpKind::kSub && op.kind != OpKind::kMul && op.kind != OpKind::kDiv) {
    return std::nullopt;
  }
  if (op.inputs.size() != 2 || op.outputs.size() != 1 || !op.inputs[0].valid() || !op.inputs[1].valid()) {
    return std::nullopt;
  }
  const bool constant_first = IsDenseFloatConstant(model, subgraph.tensor(op.inputs[0]));
  if (constant_first == IsDenseFloatConstant(model, subgraph.tensor(op.inputs[1]))) return std::nullopt;
  if (constant_first && op.kind == OpKind::kDiv) return std::nullopt;
  ChannelAffine affine;
  affine.data = constant_first ? 1 : 0;
  const Tensor& data = subgraph.tensor(op.inputs[affine.data]);
  const Tensor& constant = subgraph.tensor(op.inputs[1 - affine.data]);
  const Tensor& result = subgraph.tensor(op.outputs[0]);
  if (data.type != TensorType::kFloat32 || result.type != TensorType::kFloat32 || data.is_variable) return std::nullopt;
  if (data.shape.empty() || data.shape != result.shape || !IsPerChannel(constant, data)) return std::nullopt;

  const absl::Span<const float> values = model.FloatData(constant);
  const bool usable = std::all_of(values.begin(), values.end(), [&](float value) {
    return std::isfinite(value) && (op.kind != OpKind::kDiv || value != 0);
  });
  if (!usable) return std::nullopt;
  affine.scales = op.kind == OpKind::kMul || op.kind == OpKind::kDiv || (op.kind == OpKind::kSub && constant_first);
  affine.shifts = op.kind == OpKind::kAdd || op.kind == OpKind::kSub;
  affine.scale = {op.kind == OpKind::kSub && constant_first ? -1.0 : 1.0};
  affine.shift = {0.0};
  if (op.kind == OpKind::kMul) affine.scale.assign(values.begin(), values.end());
  if (affine.shifts) affine.shift.assign(values.begin(), values.end());
  if (op.kind == OpKind::kSub && !constant_first) {
    for (double& shift : affine.shift) shift = -shift;
  }
  if (op.kind == OpKind::kDiv) {
    affine.scale.clear();
    for (float value : values) affine.scale.push_back(1.0 / static_cast<double>(value));
  }
  return affine;
}

}  // namespace lathe
