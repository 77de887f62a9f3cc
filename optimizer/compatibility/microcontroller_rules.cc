#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// The runtime's shapes hold so many (runtime_shape.h, kMaxSmallSize).
constexpr size_t kRankMax = 6;

std::string WhyWeights(const Tensor& weights, TensorType data, TypeSet int4_kernels) {
  const bool has_kernel = (data == TensorType::kFloat32 && weights.type == TensorType::kFloat32) ||
                          (data != TensorType::kFloat32 && weights.type == TensorType::kInt8) ||
                          (Holds(int4_kernels, data) && weights.type == TensorType::kInt4);
  if (has_kernel) return "";
  return absl::StrFormat("it has %s activations and %s weights", TensorTypeLabel(data), TensorTypeLabel(weights.type));
}

// Convolutions and FULLY_CONNECTED: their weights and activations are both float, or both integers.
std::string LimitWeights(const OperatorView& view) {
  const Tensor *weights = view.input(1), *result = view.output(0);
  if (weights == nullptr || result == nullptr || !view.type()) return "it lacks operands";
  return WhyWeights(*weights, *view.type(), view.op.kind == OpKind::kTransposeConv ? TypeSet{0} : kInt8Type);
}

// An int16 kernel that reads its bias as int64 whatever its type.
std::string WhyBias(const OperatorView& view, size_t operand, TypeSet types) {
  const Tensor* bias = view.input(operand);
  if (bias == nullptr || view.type() != TensorType::kInt16 || Holds(types, bias->type)) return "";
  return absl::StrFormat("it has int16 activations and a bias of %s", TensorTypeLabel(bias->type));
}

std::string LimitDepthwise(const OperatorView& view) {
  if (std::string why = LimitWeights(view); !why.empty()) return why;
  // The kernel asks for operand 2 whenever there are three.
  if (view.op.inputs.size() > 2 && view.input(2) == nullptr) return "its bias is an operand that is left out";
  return WhyBias(view, 2, kInt64Type);
}

std::string LimitTransposeConv(const OperatorView& view) {
  if (std::string why = LimitWeights(view); !why.empty()) return why;
  return WhyBias(view, 3, kInt64Type | kInt16Type);
}

std::string LimitSvdf(const OperatorView& view) {
  if (view.input(3) == nullptr) return "it has no bias";  // which the kernel reads all the same
  const Tensor* weights = view.input(1);
  return weights == nullptr ? "it lacks operands" : WhyWeights(*weights, *view.type(), 0);
}

// The plain cell: every gate, no peepholes, projection or normalization.
std::string LimitLstm(const OperatorView& view) {
  for (size_t i = 1; i < view.op.inputs.size(); ++i) {
    const bool wanted = i <= 8 || (i >= 12 && i <= 15);
    const bool unwanted = !wanted && i != 18 && i != 19;  // the states
    if (wanted && view.input(i) == nullptr) return "its input gate is coupled to the forget gate";
    if (unwanted && view.input(i) != nullptr) return "it has peepholes, a projection or normalization";
  }
  return view.input(2) == nullptr ? "it lacks operands" : WhyWeights(*view.input(2), *view.type(), 0);
}

std::string LimitConcatenation(const OperatorView& view) {
  constexpr size_t kInputsMax = 10;  // the kernel holds so many
  const size_t count = view.op.inputs.size();
  if (count > kInputsMax) return absl::StrFormat("it joins %d tensors; the kernel takes up to %d", count, kInputsMax);
  if (std::string why = LimitFusedActivation(view); !why.empty()) return why;
  return WhyGridsDiffer(view);
}

std::string LimitCast(const OperatorView& view) {
  return WhyResultIsNot(view, kFloat32Type | kInt8Type | kInt16Type | kInt32Type | kUint32Type | kBoolType);
}

// Pairs of operand and result.
std::string LimitQuantize(const OperatorView& view) {
  constexpr TypeSet k8And16 = kInt8Type | kInt16Type;
  switch (view.type().value_or(TensorType::kString)) {
    case TensorType::kInt8:
      return WhyResultIsNot(view, k8And16 | kUint8Type | kInt32Type);
    case TensorType::kInt16:
      return WhyResultIsNot(view, k8And16 | kInt32Type);
    case TensorType::kUint8:
      return WhyResultIsNot(view, kInt8Type);
    default:
      return WhyResultIsNot(view, k8And16);
  }
}

// Kernels that make floats of integers read the first scale and no other; nothing tells them that there are more.
std::string WhyManyScales(const Tensor* tensor) {
  return tensor != nullptr && tensor->quantization.scale.size() > 1 ? "its scales are by channel" : "";
}

std::string LimitDequantize(const OperatorView& view) {
  if (std::string why = WhyManyScales(view.input(0)); !why.empty()) return why;
  return WhyResultIsNot(view, kFloat32Type);
}

std::string LimitInt32Result(const OperatorView& view) { return WhyResultIsNot(view, kInt32Type); }

std::string LimitIndices(const OperatorView& view) {
  const Tensor* indices = view.input(1);
  return indices != nullptr && indices->type == TensorType::kInt32 ? "" : "its indices are not int32";
}

// The condition is operand 0; type() is of what is chosen.
std::string LimitSelect(const OperatorView& view) {
  const Tensor* condition = view.input(0);
  return condition != nullptr && condition->type == TensorType::kBool ? "" : "its condition is not bool";
}

std::string LimitRows(const OperatorView& view) {
  const Tensor* rows = view.input(0);
  if (rows == nullptr || rows->type != TensorType::kInt32) return "its row numbers are not int32";
  return WhyManyScales(view.input(1));
}

std::string LimitPrelu(const OperatorView& view) {
  const Tensor* slopes = view.input(1);
  const bool wide = view.type() == TensorType::kInt16 && slopes != nullptr && slopes->type != TensorType::kInt8;
  return wide ? absl::StrFormat("it has int16 activations and slopes of %s", TensorTypeLabel(slopes->type)) : "";
}

// Custom operators with a kernel (micro_mutable_op_resolver.h).
constexpr std::string_view kCustomKernels[] = {"CIRCULAR_BUFFER",
                                               "SignalDelay",
                                               "SignalEnergy",
                                               "SignalFftAutoScale",
                                               "SignalFilterBank",
                                               "SignalFilterBankLog",
                                               "SignalFilterBankSpectralSubtraction",
                                               "SignalFilterBankSquareRoot",
                                               "SignalFramer",
                                               "SignalIrfft",
                                               "SignalOverlapAdd",
                                               "SignalPCAN",
                                               "SignalRfft",
                                               "SignalStacker",
                                               "SignalWindow",
                                               "TFLM_DECODE",
                                               "TFLite_Detection_PostProcess"};

// Which kernels there are (micro_mutable_op_resolver.h), and in which types (each kernel's own checks: kernels/*.cc).
// Versions are not looked at, nor by the runtime. Held against the interpreter of the package tflite-micro by
// `tools/check-evidence targets`, which is of commit 8f6596d; the files were read at 90b983c.
constexpr TypeSet k8 = kFloat32Type | kInt8Type;
constexpr TypeSet k16 = k8 | kInt16Type;
constexpr TypeSet k32 = k16 | kInt32Type;
constexpr TypeSet kCompared = k8 | kInt32Type | kInt64Type;
constexpr OperatorRule kRules[] = {
    {OpKind::kAbs, k16},
    {OpKind::kAdd, k32},
    {OpKind::kAddN, k8},
    {OpKind::kArgMax, k8, 0, LimitInt32Result},
    {OpKind::kArgMin, k8, 0, LimitInt32Result},
    {OpKind::kAssignVariable, kAnyType},
    {OpKind::kAveragePool2d, k16, 0, WhyGridsDiffer, 4},
    {.kind = OpKind::kBatchMatmul, .types = k16, .rank_max = 5},
    {.kind = OpKind::kBatchToSpaceNd, .types = k8, .rank_max = 4},
    {OpKind::kBroadcastArgs, kInt32Type | kInt64Type},
    {.kind = OpKind::kBroadcastTo, .types = kAnyType, .rank_max = 5, .constants = 0b10},
    {OpKind::kCallOnce, kAnyType},
    {OpKind::kCast, k32 | kUint32Type | kBoolType, 0, LimitCast},
    {OpKind::kCeil, kFloat32Type},
    {OpKind::kConcatenation, k32 | kInt64Type | kBoolType, 0, LimitConcatenation},
    {OpKind::kConv2d, k16, 0, LimitWeights},
    {OpKind::kCos, kFloat32Type},
    {OpKind::kCumsum, k8},
    {OpKind::kDepthToSpace, k8, 0, nullptr, 4},
    {OpKind::kDepthwiseConv2d, k16, 0, LimitDepthwise},
    {OpKind::kDequantize, kInt8Type | kInt16Type | kUint8Type, 0, LimitDequantize},
    {OpKind::kDiv, k8 | kInt32Type},
    {OpKind::kDynamicUpdateSlice, k32},
    {OpKind::kElu, k8},
    {OpKind::kEmbeddingLookup, k8, 0, LimitRows},
    {OpKind::kEqual, kCompared | kBoolType},
    {OpKind::kExp, kFloat32Type},
    {.kind = OpKind::kExpandDims, .types = k16, .constants = 0b10},
    {.kind = OpKind::kFill, .types = k8 | kInt32Type, .constants = 0b1},
    {OpKind::kFloor, kFloat32Type},
    {OpKind::kFloorDiv, kFloat32Type},
    {OpKind::kFloorMod, kFloat32Type},
    {OpKind::kFullyConnected, k16, 0, LimitWeights},
    {OpKind::kGather, k8, 0, LimitIndices},
    {OpKind::kGatherNd, k8, 0, LimitIndices},
    {OpKind::kGreater, kCompared | kInt16Type},
    {OpKind::kGreaterEqual, kCompared},
    {OpKind::kHardSwish, k8},
    {OpKind::kIf, kAnyType},
    {OpKind::kL2Normalization, k8, 0, LimitFusedActivation, 4},
    {OpKind::kL2Pool2d, kFloat32Type, 0, nullptr, 4},
    {OpKind::kLeakyRelu, k16},
    {OpKind::kLess, kCompared},
    {OpKind::kLessEqual, kCompared},
    {OpKind::kLog, kFloat32Type},
    {OpKind::kLogicalAnd, kBoolType},
    {OpKind::kLogicalNot, kBoolType},
    {OpKind::kLogicalOr, kBoolType},
    {OpKind::kLogistic, k16},
    {OpKind::kLogSoftmax, k8},
    {OpKind::kMaximum, k32 | kInt64Type},
    {OpKind::kMaxPool2d, k16, 0, WhyGridsDiffer, 4},
    {OpKind::kMean, k16},
    {OpKind::kMinimum, k32 | kInt64Type},
    {OpKind::kMirrorPad, k8},
    {OpKind::kMul, k32},
    {OpKind::kNeg, kFloat32Type},
    {OpKind::kNotEqual, kCompared | kBoolType},
    {OpKind::kPack, k32 | kInt64Type},
    {.kind = OpKind::kPad, .types = k32, .rank_max = 5, .constants = 0b10},
    {.kind = OpKind::kPadv2, .types = k32, .rank_max = 5, .constants = 0b10},
    {OpKind::kPrelu, k16, 0, LimitPrelu},
    {OpKind::kQuantize, k32 | kUint8Type, 0, LimitQuantize},
    {OpKind::kReadVariable, kAnyType},
    {OpKind::kReduceAll, kBoolType},
    {OpKind::kReduceMax, k8},
    {OpKind::kReduceMin, k8},
    {OpKind::kRelu, k16},
    {OpKind::kRelu6, k16},
    {OpKind::kReshape, kAnyType},
    {.kind = OpKind::kResizeBilinear, .types = k8, .rank_max = 4, .constants = 0b10},
    {.kind = OpKind::kResizeNearestNeighbor, .types = k16, .rank_max = 4, .constants = 0b10},
    {OpKind::kReverseV2, k32 | kUint8Type | kInt64Type | kBoolType},
    {OpKind::kRound, kFloat32Type},
    {OpKind::kRsqrt, k16},
    {OpKind::kSelectV2, k16, 0, LimitSelect},
    {OpKind::kShape, kAnyType, 0, LimitInt32Result},
    {OpKind::kSin, kFloat32Type},
    {OpKind::kSlice, k32 | kBoolType, 0, nullptr, 5},
    {OpKind::kSoftmax, k16},
    {OpKind::kSpaceToBatchNd, k8, 0, nullptr, 4},
    {OpKind::kSpaceToDepth, k8, 0, nullptr, 4},
    {.kind = OpKind::kSplit, .types = k32, .constants = 0b1},
    {.kind = OpKind::kSplitV, .types = k32, .constants = 0b100},
    {OpKind::kSqrt, kFloat32Type},
    {OpKind::kSquare, kFloat32Type},
    {OpKind::kSquaredDifference, k32},
    {OpKind::kSqueeze, kAnyType},
    {.kind = OpKind::kStridedSlice, .types = k32 | kBoolType, .rank_max = 4, .constants = 0b1110},
    {OpKind::kSub, k32},
    {OpKind::kSum, k16},
    {OpKind::kSvdf, k8, 0, LimitSvdf},
    {OpKind::kTanh, k16},
    {.kind = OpKind::kTranspose, .types = k16, .rank_max = 5, .constants = 0b10},
    {OpKind::kTransposeConv, k16, 0, LimitTransposeConv},
    {OpKind::kUnidirectionalSequenceLstm, k16, 0, LimitLstm},
    {OpKind::kUnpack, k32},
    {OpKind::kVarHandle, kAnyType},
    {OpKind::kWhile, kAnyType},
    {OpKind::kZerosLike, kCompared},
};

bool HasCustomKernel(const Op& op) {
  return op.kind == OpKind::kCustom &&
         std::find(std::begin(kCustomKernels), std::end(kCustomKernels), op.custom_code) != std::end(kCustomKernels);
}

}  // namespace

std::string WhyNotOnMicrocontroller(const OperatorView& view) {
  if (HasCustomKernel(view.op)) return "";
  if (std::string why = WhyNotByRules(view, kRules, "TensorFlow Lite Micro"); !why.empty()) return why;
  if (std::string why = WhyRankAbove(view, kRankMax); !why.empty()) return why;
  return WhyDynamic(view);
}

const std::vector<std::string>& MicrocontrollerSources() {
  static const auto& sources = *new std::vector<std::string>{
      "one-operator models run in the interpreter of the package tflite-micro (tools/check-evidence targets)",
      "tensorflow/tflite-micro 90b983c: tensorflow/lite/micro/micro_mutable_op_resolver.h",
      "tensorflow/tflite-micro 90b983c: tensorflow/lite/micro/kernels/*.cc"};
  return sources;
}

}  // namespace lathe
