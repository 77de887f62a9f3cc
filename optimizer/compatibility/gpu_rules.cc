#include "absl/strings/str_format.h"
#include "optimizer/compatibility/gpu_limits.h"
#include "optimizer/compatibility/target_rules.h"

namespace lathe {
namespace {

constexpr size_t kRankMax = 4;  // tensors are batch, height, width, channels on the GPU

// Kinds: the operators that model_builder.cc has a parser for (NewOperationParser, with quantized models allowed, as is
// the default). Versions: each parser's CheckMaxSupportedOpVersion. Limits: gpu_compatibility.cc, and those conditions
// of the parsers that would make the delegate give up as a whole. Types are looked at by WhyTensors. Held against
// TensorFlow 2.17's own check by `tools/check-evidence targets`; the files were read in google-ai-edge/LiteRT at
// f674577.
constexpr OperatorRule kRules[] = {
    {OpKind::kAbs, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kAdd, kAnyType, 2, gpu::LimitAdd},
    {OpKind::kAddN, kAnyType, 2, gpu::LimitAddN},
    {OpKind::kAveragePool2d, kAnyType, 2, gpu::LimitOneComputed},
    {OpKind::kBatchMatmul, kAnyType, 0, gpu::LimitBatchMatmul},
    {OpKind::kCast, kAnyType, 0, gpu::LimitCast},
    {OpKind::kConcatenation, kAnyType, 2},
    {OpKind::kConv2d, kAnyType, 6, gpu::LimitConvolution},
    {OpKind::kCos, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kCumsum, kAnyType, 1, gpu::LimitCumsum},
    {OpKind::kDensify, kAnyType, 1, gpu::LimitDensify},
    {OpKind::kDepthToSpace, kAnyType, 0, gpu::LimitBlock},
    {OpKind::kDepthwiseConv2d, kAnyType, 6, gpu::LimitDepthwise},
    {OpKind::kDequantize, kAnyType, 3, gpu::LimitDequantize},
    {OpKind::kDiv, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kElu, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kEqual, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kExp, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kFloor, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kFloorDiv, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kFloorMod, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kFullyConnected, kAnyType, 9, gpu::LimitFullyConnected},
    {OpKind::kGather, kAnyType, 1, gpu::LimitGather},
    {OpKind::kGelu, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kGreater, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kGreaterEqual, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kHardSwish, kAnyType, 0, gpu::LimitOneComputed},
    {OpKind::kLeakyRelu, kAnyType, 2},
    {OpKind::kLess, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kLessEqual, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kLog, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kLogicalAnd, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kLogistic, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kLstm, kAnyType, 4, gpu::LimitLstm},
    {OpKind::kMaxPool2d, kAnyType, 2, gpu::LimitOneComputed},
    {OpKind::kMaximum, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kMean, kAnyType, 0, gpu::LimitReduction},
    {OpKind::kMinimum, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kMirrorPad, kAnyType, 2, gpu::LimitMirrorPad},
    {OpKind::kMul, kAnyType, 3, gpu::LimitAdd},
    {OpKind::kNeg, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kNotEqual, kAnyType, 2, gpu::LimitComparison},
    {OpKind::kOneHot, kAnyType, 1, gpu::LimitOneHot},
    {OpKind::kPack, kAnyType},
    {OpKind::kPad, kAnyType, 2, gpu::LimitPad},
    {OpKind::kPadv2, kAnyType, 2, gpu::LimitPad},
    {OpKind::kPow, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kPrelu, kAnyType, 1, gpu::LimitPrelu},
    {OpKind::kQuantize, kAnyType, 2, gpu::LimitOneComputed},
    {OpKind::kReduceMax, kAnyType, 0, gpu::LimitReduction},
    {OpKind::kReduceMin, kAnyType, 0, gpu::LimitReduction},
    {OpKind::kReduceProd, kAnyType, 0, gpu::LimitReduction},
    {OpKind::kRelu, kAnyType, 2},
    {OpKind::kRelu0To1, kAnyType, 2},
    {OpKind::kRelu6, kAnyType, 2},
    {OpKind::kReluN1To1, kAnyType, 2},
    {OpKind::kReshape, kAnyType, 1, gpu::LimitOneComputed},
    {OpKind::kResizeBilinear, kAnyType, 3, gpu::LimitOneComputed},
    {OpKind::kResizeNearestNeighbor, kAnyType, 3, gpu::LimitOneComputed},
    {OpKind::kRsqrt, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kSelect, kAnyType, 1, gpu::LimitSelect},
    {OpKind::kSelectV2, kAnyType, 1, gpu::LimitSelect},
    {OpKind::kSign, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kSin, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kSlice, kAnyType, 2, gpu::LimitSlice},
    {OpKind::kSoftmax, kAnyType, 2, gpu::LimitSoftmax},
    {OpKind::kSpaceToDepth, kAnyType, 2, gpu::LimitBlock},
    {.kind = OpKind::kSplit, .types = kAnyType, .constants = 0b1},
    {.kind = OpKind::kSplitV, .types = kAnyType, .constants = 0b100},
    {OpKind::kSqrt, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kSquare, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kSquaredDifference, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kStridedSlice, kAnyType, 4, gpu::LimitStridedSlice},
    {OpKind::kSub, kAnyType, 2, gpu::LimitTwoArguments},
    {OpKind::kSum, kAnyType, 0, gpu::LimitReduction},
    {OpKind::kTanh, kAnyType, 2, gpu::LimitOneArgument},
    {OpKind::kTile, kAnyType, 0, gpu::LimitOneComputed},
    {OpKind::kTranspose, kAnyType, 4, gpu::LimitOneComputed},
    {OpKind::kTransposeConv, kAnyType, 3, gpu::LimitConvolution},
    {OpKind::kUnpack, kAnyType},
};

struct Tensors {
  TypeSet operands, results;
};

// Of what is computed (GetOpsToReplace in model_builder.cc); constants may have any type.
Tensors TypesOf(OpKind kind) {
  constexpr TypeSet kTypes = kFloat32Type | kFloat16Type | kInt8Type | kUint8Type;
  switch (kind) {
    case OpKind::kEqual:
    case OpKind::kGreater:
    case OpKind::kGreaterEqual:
    case OpKind::kLess:
    case OpKind::kLessEqual:
    case OpKind::kNotEqual:
      return {kTypes, kTypes | kBoolType};
    case OpKind::kCast:
      return {kTypes | kBoolType | kInt32Type, kTypes | kBoolType | kInt32Type};
    case OpKind::kGather:
    case OpKind::kOneHot:
      return {kTypes | kInt32Type, kTypes};
    case OpKind::kSelect:
    case OpKind::kSelectV2:
      return {kTypes | kBoolType, kTypes};
    case OpKind::kLogicalAnd:
      return {kTypes | kBoolType, kTypes | kBoolType};
    default:
      return {kTypes, kTypes};
  }
}

std::string WhyTypes(const OperatorView& view, const std::vector<TensorId>& tensors, TypeSet types) {
  for (TensorId id : tensors) {
    if (!id.valid()) continue;
    const Tensor& tensor = view.graph.tensor(id);
    if (view.model.IsConstant(tensor) || Holds(types, tensor.type)) continue;
    return absl::StrFormat("'%s' is %s", tensor.name, TensorTypeLabel(tensor.type));
  }
  return "";
}

std::string WhyTensors(const OperatorView& view) {
  const Tensors types = TypesOf(view.op.kind);
  if (std::string why = WhyTypes(view, view.op.inputs, types.operands); !why.empty()) return why;
  if (std::string why = WhyTypes(view, view.op.outputs, types.results); !why.empty()) return why;
  return WhyRankAbove(view, kRankMax);
}

}  // namespace

std::string WhyNotOnGpu(const OperatorView& view) {
  if (std::string why = WhyNotByRules(view, kRules, "the GPU delegate"); !why.empty()) return why;
  if (std::string why = WhyTensors(view); !why.empty()) return why;
  return WhyDynamic(view);
}

const std::vector<std::string>& GpuSources() {
  static const auto& sources = *new std::vector<std::string>{
      "google-ai-edge/LiteRT f674577: tflite/delegates/gpu/common/model_builder.cc",
      "google-ai-edge/LiteRT f674577: tflite/tools/versioning/gpu_compatibility.cc",
      "one-operator models in the GPU check of TensorFlow 2.17.1's model analyzer (tools/check-evidence targets)"};
  return sources;
}

}  // namespace lathe
