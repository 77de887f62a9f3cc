#include <algorithm>

#include "absl/strings/str_format.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/graph_figures.h"

namespace lathe {
namespace {

// The kernel that is compiled for a list of operands has this many places.
constexpr size_t kConcatenationInputsMax = 5;
constexpr size_t kSplitOutputsMax = 4;
constexpr size_t kRankMax = 6;

std::string LimitConcatenation(const OperatorView& view) {
  const size_t count = view.op.inputs.size();
  if (count >= 2 && count <= kConcatenationInputsMax) return "";
  return absl::StrFormat("it joins %d tensors; XNNPACK takes 2 to %d", count, kConcatenationInputsMax);
}

std::string LimitSplit(const OperatorView& view) {
  const size_t count = view.op.outputs.size();
  if (!view.IsConstantInput(0)) return "its axis is not a constant";
  if (count >= 2 && count <= kSplitOutputsMax) return "";
  return absl::StrFormat("it splits into %d tensors; XNNPACK takes 2 to %d", count, kSplitOutputsMax);
}

// Begin, end and strides are operands 1 to 3.
std::string LimitStridedSlice(const OperatorView& view) {
  if (std::string why = LimitConstantOperands(view); !why.empty()) return why;
  const Tensor *strides = view.input(3), *from = view.input(0), *to = view.output(0);
  if (strides == nullptr || from == nullptr || to == nullptr) return "it lacks operands";
  if (from->shape.size() != to->shape.size()) return "it drops or adds dimensions";
  if (strides->type != TensorType::kInt32) return "its strides are not int32";
  const auto values = view.model.Int32Data(*strides);
  const bool all_one = std::all_of(values.begin(), values.end(), [](int32_t stride) { return stride == 1; });
  return all_one ? "" : "it has strides other than 1";
}

std::string LimitSoftmax(const OperatorView& view) {
  return GetSoftmaxBeta(view.op).value_or(1.0f) == 1.0f ? "" : "its beta is not 1";
}

constexpr TypeSet kUnpackedTypes = kFloat16Type | kInt8Type | kUint8Type;

// XNNPACK packs weights once: they must be known. Behind a DEQUANTIZE or DENSIFY that it takes they are.
bool IsKnownEarly(const OperatorView& view, size_t operand) {
  const Tensor* tensor = view.input(operand);
  if (tensor == nullptr || view.IsConstantInput(operand)) return true;
  TensorId id = view.op.inputs[operand];
  for (auto op = view.graph.ops.rbegin(); op != view.graph.ops.rend(); ++op) {
    if (std::find(op->outputs.begin(), op->outputs.end(), id) == op->outputs.end()) continue;
    if (op->kind != OpKind::kDequantize && op->kind != OpKind::kDensify) return false;
    id = op->input(0);
    if (!id.valid()) return false;
    const Tensor& source = view.graph.tensor(id);
    if (op->kind == OpKind::kDequantize && !Holds(kUnpackedTypes, source.type)) return false;
    if (view.model.IsConstant(source)) return true;
  }
  return false;
}

std::string LimitWeights(const OperatorView& view) {
  const size_t first = view.op.kind == OpKind::kTransposeConv ? 3 : 2;
  return IsKnownEarly(view, 1) && IsKnownEarly(view, first) ? "" : "its weights or bias are computed";
}

// What XNNPACK takes in float32 and int8, found by running one-operator models on the default kernels of runtime 2.3.0
// (section `targets` of tools/check-evidence does so again). Scales of int8 operators are looked at by IsDelegated.
constexpr TypeSet kBoth = kFloat32Type | kInt8Type;
constexpr OperatorRule kRules[] = {
    {OpKind::kAbs, kFloat32Type},
    {OpKind::kAdd, kBoth},
    {OpKind::kAveragePool2d, kFloat32Type},
    {OpKind::kBatchMatmul, kBoth},
    {OpKind::kCeil, kFloat32Type},
    {OpKind::kConcatenation, kBoth | kUint8Type, 0, LimitConcatenation},
    {OpKind::kConv2d, kBoth, 0, LimitWeights},
    {OpKind::kCos, kFloat32Type},
    {OpKind::kDensify, kFloat32Type | kFloat16Type | kInt8Type},
    {OpKind::kDepthToSpace, kBoth},
    {OpKind::kDepthwiseConv2d, kBoth, 0, LimitWeights},
    {OpKind::kDequantize, kUnpackedTypes},
    {OpKind::kDiv, kFloat32Type},
    {OpKind::kElu, kBoth},
    {OpKind::kExp, kFloat32Type},
    {OpKind::kFloor, kFloat32Type},
    {OpKind::kFullyConnected, kBoth, 0, LimitWeights},
    {OpKind::kGelu, kFloat32Type},
    {OpKind::kHardSwish, kFloat32Type},
    {OpKind::kLeakyRelu, kBoth},
    {OpKind::kLog, kFloat32Type},
    {OpKind::kLogistic, kBoth},
    {OpKind::kMaxPool2d, kBoth},
    {OpKind::kMaximum, kFloat32Type},
    {OpKind::kMean, kBoth, 0, LimitConstantOperands},
    {OpKind::kMinimum, kFloat32Type},
    {OpKind::kMul, kBoth},
    {OpKind::kNeg, kFloat32Type},
    {OpKind::kPad, kBoth, 0, LimitConstantOperands},
    {OpKind::kPrelu, kFloat32Type, 0, LimitConstantOperands},
    {OpKind::kQuantize, kFloat32Type | kInt8Type},
    {OpKind::kReduceMax, kBoth, 0, LimitConstantOperands},
    {OpKind::kReduceMin, kBoth, 0, LimitConstantOperands},
    {OpKind::kRelu, kFloat32Type},
    {OpKind::kRelu6, kFloat32Type},
    {OpKind::kReluN1To1, kFloat32Type},
    {OpKind::kReshape, kBoth, 0, LimitConstantOperands},
    {OpKind::kResizeBilinear, kBoth, 0, LimitConstantOperands},
    {OpKind::kRound, kFloat32Type},
    {OpKind::kRsqrt, kFloat32Type},
    {OpKind::kSin, kFloat32Type},
    {OpKind::kSlice, kBoth, 0, LimitConstantOperands},
    {OpKind::kSoftmax, kFloat32Type, 0, LimitSoftmax},
    {OpKind::kSpaceToDepth, kBoth},
    {OpKind::kSplit, kBoth, 0, LimitSplit},
    {OpKind::kSqrt, kFloat32Type},
    {OpKind::kSquare, kFloat32Type},
    {OpKind::kSquaredDifference, kFloat32Type},
    {OpKind::kStridedSlice, kBoth, 0, LimitStridedSlice},
    {OpKind::kSub, kBoth},
    {OpKind::kSum, kBoth, 0, LimitConstantOperands},
    {OpKind::kTanh, kBoth},
    {OpKind::kTranspose, kBoth, 0, LimitConstantOperands},
    {OpKind::kTransposeConv, kBoth, 0, LimitWeights},
};

std::string WhyRank(const OperatorView& view) {
  for (const std::vector<TensorId>* tensors : {&view.op.inputs, &view.op.outputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid() || view.graph.tensor(id).shape.size() <= kRankMax) continue;
      return absl::StrFormat("'%s' has %d dimensions; XNNPACK takes up to %d", view.graph.tensor(id).name,
                             view.graph.tensor(id).shape.size(), kRankMax);
    }
  }
  return "";
}

}  // namespace

std::string WhyNotOnXnnpack(const OperatorView& view) {
  if (std::string why = WhyNotByRules(view, kRules, "XNNPACK"); !why.empty()) return why;
  if (std::string why = WhyRank(view); !why.empty()) return why;
  if (!IsDelegated(view.model, view.graph, view.op)) return "XNNPACK does not take its types or scales";
  return "";
}

std::string WhyNotOnCpu(const OperatorView& view) {
  if (view.op.kind != OpKind::kCustom) return "";
  return absl::StrFormat("the runtime has no kernel for the custom operator '%s'; the application must bring it",
                         view.op.custom_code);
}

const std::vector<std::string>& CpuSources() {
  static const auto& sources = *new std::vector<std::string>{
      "one-operator models run on the default kernels of the LiteRT runtime 2.3.0 (tools/check-evidence targets)",
      "google-ai-edge/LiteRT: tflite/delegates/xnnpack/xnnpack_delegate.cc"};
  return sources;
}

}  // namespace lathe
