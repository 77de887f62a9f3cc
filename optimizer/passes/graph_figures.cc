#include "optimizer/passes/graph_figures.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "optimizer/passes/integer_rules.h"
#include "optimizer/passes/multiplier_limits.h"

namespace lathe {
namespace {

// What XNNPACK takes in int8, seen by running one-operator models with the default kernels of runtime 2.3.0: where the
// operator runs apart from the QUANTIZE before and the DEQUANTIZE after it, it was not taken. It takes nothing in
// int16.
constexpr OpKind kDelegatedInInt8[] = {
    OpKind::kAdd,
    OpKind::kConcatenation,
    OpKind::kConv2d,
    OpKind::kDepthToSpace,
    OpKind::kDepthwiseConv2d,
    OpKind::kDequantize,
    OpKind::kElu,
    OpKind::kFullyConnected,
    OpKind::kLeakyRelu,
    OpKind::kLogistic,
    OpKind::kMaxPool2d,
    OpKind::kMean,
    OpKind::kMul,
    OpKind::kPad,
    OpKind::kQuantize,
    OpKind::kReduceMax,
    OpKind::kReduceMin,
    OpKind::kReshape,
    OpKind::kResizeBilinear,
    OpKind::kSlice,
    OpKind::kSpaceToDepth,
    OpKind::kSplit,
    OpKind::kStridedSlice,
    OpKind::kSub,
    OpKind::kSum,
    OpKind::kTanh,
    OpKind::kTranspose,
    OpKind::kTransposeConv,
};

bool IsInteger(TensorType type) {
  return type == TensorType::kInt8 || type == TensorType::kUint8 || type == TensorType::kInt16;
}

// The quantized integer activation that decides: the first among results, then operands. Null: the operator computes on
// something else.
const Tensor* QuantizedActivation(const Model& model, const Subgraph& subgraph, const Op& op) {
  for (const std::vector<TensorId>* tensors : {&op.outputs, &op.inputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid()) continue;
      const Tensor& tensor = subgraph.tensor(id);
      if (IsInteger(tensor.type) && tensor.quantization.IsQuantized() && !model.IsConstant(tensor)) return &tensor;
    }
  }
  return nullptr;
}

float ScaleOf(const Tensor& tensor) {
  const auto& scales = tensor.quantization.scale;
  return scales.empty() ? 1.0f : *std::max_element(scales.begin(), scales.end());
}

bool ScalesAreTaken(const Subgraph& subgraph, const Op& op) {
  const IntegerRule* rule = FindIntegerRule(op.kind);
  if (rule == nullptr || rule->scale_class != ScaleClass::kFree) return true;
  const std::vector<size_t> data = DataOperands(*rule, op);
  const bool complete = std::all_of(data.begin(), data.end(), [&](size_t i) { return op.input(i).valid(); });
  if (!complete || op.outputs.empty()) return false;
  float weight_scale = 0;
  if (rule->has_weights && op.input(1).valid()) weight_scale = ScaleOf(subgraph.tensor(op.inputs[1]));
  const auto scale = [&](size_t i) -> double { return ScaleOf(subgraph.tensor(op.inputs[i])); };
  return FindScaleDemands(op.kind, 8, scale, ScaleOf(subgraph.tensor(op.outputs[0])), weight_scale, data[0]).empty();
}

}  // namespace

bool IsDelegated(const Model& model, const Subgraph& subgraph, const Op& op) {
  const Tensor* activation = QuantizedActivation(model, subgraph, op);
  if (activation == nullptr) return true;
  const auto touches = [&](const std::vector<TensorId>& tensors, TensorType type) {
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](TensorId id) { return id.valid() && subgraph.tensor(id).type == type; });
  };
  if (touches(op.inputs, TensorType::kInt16) || touches(op.outputs, TensorType::kInt16)) return false;
  if (op.kind == OpKind::kBatchMatmul) {
    // Seen in trained transformers: symmetric right operands are taken, computed ones too, all others are not.
    if (!op.input(1).valid()) return false;
    const std::vector<int64_t>& zero_points = subgraph.tensor(op.inputs[1]).quantization.zero_point;
    return std::all_of(zero_points.begin(), zero_points.end(), [](int64_t zero_point) { return zero_point == 0; });
  }
  const bool listed =
      std::find(std::begin(kDelegatedInInt8), std::end(kDelegatedInInt8), op.kind) != std::end(kDelegatedInInt8);
  return listed && ScalesAreTaken(subgraph, op);
}

GraphReport DescribeGraph(const Model& model) {
  GraphReport report;
  int undelegated = 0;
  for (const Subgraph& subgraph : model.subgraphs) {
    for (const Op& op : subgraph.ops) {
      ++report.operators;
      undelegated += !IsDelegated(model, subgraph, op);
      if (op.kind == OpKind::kQuantize) {
        ++report.quantize_operators;
      } else if (op.kind == OpKind::kDequantize) {
        ++report.dequantize_operators;
      } else {
        report.integer_operators += QuantizedActivation(model, subgraph, op) != nullptr;
      }
    }
  }
  const int computing = report.operators - report.quantize_operators - report.dequantize_operators;
  report.integer_share = computing == 0 ? 0.0 : static_cast<double>(report.integer_operators) / computing;
  report.undelegated_operators = undelegated;
  report.undelegated_share = report.operators == 0 ? 0.0 : static_cast<double>(undelegated) / report.operators;
  return report;
}

}  // namespace lathe
