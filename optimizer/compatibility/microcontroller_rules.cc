#include "absl/strings/str_format.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// Kernels with float activations read float weights only.
std::string LimitHybrid(const OperatorView& view) {
  const Tensor* weights = view.input(1);
  if (view.type() != TensorType::kFloat32 || weights == nullptr || weights->type == TensorType::kFloat32) return "";
  return absl::StrFormat("it has float activations and %s weights", TensorTypeLabel(weights->type));
}

std::string LimitInputs(const OperatorView& view) {
  constexpr size_t kInputsMax = 10;  // CONCATENATION's kernel holds so many
  if (view.op.inputs.size() <= kInputsMax) return "";
  return absl::StrFormat("it joins %d tensors; the kernel takes up to %d", view.op.inputs.size(), kInputsMax);
}

// Which kernels there are (micro_mutable_op_resolver.h), and in which types (the kernels' own checks).
constexpr TypeSet k8 = kFloat32Type | kInt8Type;
constexpr TypeSet k16 = k8 | kInt16Type;
constexpr TypeSet kIntegers = kInt8Type | kInt16Type | kInt32Type;
constexpr TypeSet kAll = kFloat32Type | kIntegers | kInt64Type | kBoolType | kUint8Type;
constexpr OperatorRule kRules[] = {
    {OpKind::kAbs, k16},
    {OpKind::kAdd, k16 | kInt32Type},
    {OpKind::kAddN, k8},
    {OpKind::kArgMax, k8},
    {OpKind::kArgMin, k8},
    {OpKind::kAssignVariable, kAll},
    {OpKind::kAveragePool2d, k16},
    {OpKind::kBatchMatmul, k16},
    {OpKind::kBatchToSpaceNd, k8},
    {OpKind::kBroadcastArgs, kInt32Type | kInt64Type},
    {OpKind::kBroadcastTo, kAll},
    {OpKind::kCallOnce, kAll},
    {OpKind::kCast, kAll},
    {OpKind::kCeil, kFloat32Type},
    {OpKind::kConcatenation, kAll, 0, LimitInputs},
    {OpKind::kConv2d, k16, 0, LimitHybrid},
    {OpKind::kCos, kFloat32Type},
    {OpKind::kCumsum, k8},
    {OpKind::kDepthToSpace, k8},
    {OpKind::kDepthwiseConv2d, k16, 0, LimitHybrid},
    {OpKind::kDequantize, kInt8Type | kInt16Type | kUint8Type},
    {OpKind::kDiv, k8},
    {OpKind::kDynamicUpdateSlice, kAll},
    {OpKind::kElu, k8},
    {OpKind::kEmbeddingLookup, k8 | kInt32Type},
    {OpKind::kEqual, kAll},
    {OpKind::kExp, kFloat32Type},
    {OpKind::kExpandDims, k16 | kInt32Type},
    {OpKind::kFill, kAll},
    {OpKind::kFloor, kFloat32Type},
    {OpKind::kFloorDiv, kFloat32Type},
    {OpKind::kFloorMod, kFloat32Type},
    {OpKind::kFullyConnected, k16, 0, LimitHybrid},
    {OpKind::kGather, k8},
    {OpKind::kGatherNd, k8},
    {OpKind::kGreater, kAll},
    {OpKind::kGreaterEqual, kAll},
    {OpKind::kHardSwish, k8},
    {OpKind::kIf, kAll},
    {OpKind::kL2Normalization, k8},
    {OpKind::kL2Pool2d, kFloat32Type},
    {OpKind::kLeakyRelu, k16},
    {OpKind::kLess, kAll},
    {OpKind::kLessEqual, kAll},
    {OpKind::kLog, kFloat32Type},
    {OpKind::kLogicalAnd, kBoolType},
    {OpKind::kLogicalNot, kBoolType},
    {OpKind::kLogicalOr, kBoolType},
    {OpKind::kLogistic, k16},
    {OpKind::kLogSoftmax, k8},
    {OpKind::kMaximum, k16 | kInt32Type | kInt64Type},
    {OpKind::kMaxPool2d, k16},
    {OpKind::kMean, k16},
    {OpKind::kMinimum, k16 | kInt32Type | kInt64Type},
    {OpKind::kMirrorPad, k8},
    {OpKind::kMul, k16 | kInt32Type},
    {OpKind::kNeg, kFloat32Type},
    {OpKind::kNotEqual, kAll},
    {OpKind::kPack, kAll},
    {OpKind::kPad, k16 | kInt32Type},
    {OpKind::kPadv2, k16 | kInt32Type},
    {OpKind::kPrelu, k8},
    {OpKind::kQuantize, kFloat32Type | kIntegers | kUint8Type},
    {OpKind::kReadVariable, kAll},
    {OpKind::kReduceMax, k8},
    {OpKind::kReduceMin, k8},
    {OpKind::kRelu, k16},
    {OpKind::kRelu6, k16},
    {OpKind::kReshape, kAll},
    {OpKind::kResizeBilinear, k8},
    {OpKind::kResizeNearestNeighbor, k16},
    {OpKind::kReverseV2, kAll},
    {OpKind::kRound, kFloat32Type},
    {OpKind::kRsqrt, k8},
    {OpKind::kSelectV2, kAll},
    {OpKind::kShape, kAll},
    {OpKind::kSin, kFloat32Type},
    {OpKind::kSlice, kAll},
    {OpKind::kSoftmax, k16},
    {OpKind::kSpaceToBatchNd, k8},
    {OpKind::kSpaceToDepth, k8},
    {OpKind::kSplit, k16 | kInt32Type},
    {OpKind::kSplitV, k16 | kInt32Type},
    {OpKind::kSqrt, kFloat32Type},
    {OpKind::kSquare, kFloat32Type},
    {OpKind::kSquaredDifference, k16 | kInt32Type},
    {OpKind::kSqueeze, kAll},
    {OpKind::kStridedSlice, kAll},
    {OpKind::kSub, k16 | kInt32Type},
    {OpKind::kSum, k16},
    {OpKind::kSvdf, k8},
    {OpKind::kTanh, k16},
    {OpKind::kTranspose, k16 | kInt32Type},
    {OpKind::kTransposeConv, k16},
    {OpKind::kUnidirectionalSequenceLstm, kInt8Type | kInt16Type},
    {OpKind::kUnpack, k8 | kInt32Type},
    {OpKind::kVarHandle, kAll},
    {OpKind::kWhile, kAll},
    {OpKind::kZerosLike, kAll},
};

}  // namespace

std::string WhyNotOnMicrocontroller(const OperatorView& view) {
  if (view.op.kind == OpKind::kCustom && view.op.custom_code == "TFLite_Detection_PostProcess") return "";
  if (std::string why = WhyNotByRules(view, kRules, "TensorFlow Lite Micro"); !why.empty()) return why;
  return WhyDynamic(view);
}

const std::vector<std::string>& MicrocontrollerSources() {
  static const auto& sources =
      *new std::vector<std::string>{"tensorflow/tflite-micro: tensorflow/lite/micro/micro_mutable_op_resolver.h",
                                    "tensorflow/tflite-micro: tensorflow/lite/micro/kernels/*.cc"};
  return sources;
}

}  // namespace lathe
