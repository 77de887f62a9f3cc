#include "absl/strings/str_format.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

constexpr size_t kRankMax = 4;  // tensors are batch, height, width, channels on the GPU

size_t ComputedInputs(const OperatorView& view) {
  size_t count = 0;
  for (size_t i = 0; i < view.op.inputs.size(); ++i) count += view.input(i) != nullptr && !view.IsConstantInput(i);
  return count;
}

std::string LimitConvolution(const OperatorView& view) {
  if (ComputedInputs(view) > 2) return "it has more than 2 computed operands";
  return view.op.outputs.size() == 1 ? "" : "it has more than one result";
}

std::string LimitDepthwise(const OperatorView& view) {
  if (std::string why = LimitConvolution(view); !why.empty()) return why;
  const Tensor *data = view.input(0), *result = view.output(0);
  if (data == nullptr || result == nullptr || data->shape.size() != 4 || result->shape.size() != 4) {
    return "it is not of 4 dimensions";
  }
  const bool multiplies = data->shape[3] != result->shape[3];
  return multiplies && data->shape[3] != 1 ? "it has several channels and a depth multiplier" : "";
}

std::string LimitFullyConnected(const OperatorView& view) {
  const auto options = GetFullyConnectedOptions(view.op);
  if (options && !options->default_weights_format) return "its weights are shuffled";
  return ComputedInputs(view) <= 2 ? "" : "it has more than 2 computed operands";
}

std::string LimitLstm(const OperatorView& view) {
  return view.op.inputs.size() == 5 || HasFullLstmKernel(view.op) ? "" : "it is neither the basic nor the full kernel";
}

std::string LimitOneComputed(const OperatorView& view) {
  return ComputedInputs(view) == 1 ? "" : "operands besides the data are computed";
}

std::string LimitSoftmax(const OperatorView& view) {
  return GetSoftmaxBeta(view.op).value_or(1.0f) == 1.0f ? "" : "its beta is not 1";
}

std::string LimitSlice(const OperatorView& view) {
  const Tensor *from = view.input(0), *to = view.output(0);
  if (from == nullptr || to == nullptr) return "it lacks operands";
  const size_t rank = from->shape.size();
  if (rank != 3 && rank != 4) return absl::StrFormat("it slices %d dimensions; the GPU delegate takes 3 or 4", rank);
  return rank == to->shape.size() ? "" : "it drops or adds dimensions";
}

std::string LimitPad(const OperatorView& view) {
  if (std::string why = LimitOneComputed(view); !why.empty()) return why;
  const Tensor* paddings = view.input(1);
  if (paddings == nullptr || paddings->shape.size() != 2) return "it lacks paddings";
  return paddings->shape[0] == 3 || paddings->shape[0] == 4 ? "" : "it pads other than 3 or 4 dimensions";
}

// A row times a column: neither operand has the shape of the result.
std::string LimitMul(const OperatorView& view) {
  const Tensor *a = view.input(0), *b = view.input(1);
  if (a == nullptr || b == nullptr) return "it lacks operands";
  if (a->shape.size() != b->shape.size()) return "";
  bool first_smaller = false, second_smaller = false;
  for (size_t i = 0; i < a->shape.size(); ++i) {
    first_smaller |= a->shape[i] < b->shape[i];
    second_smaller |= b->shape[i] < a->shape[i];
  }
  return first_smaller && second_smaller ? "both operands are repeated" : "";
}

std::string LimitGather(const OperatorView& view) {
  const Tensor* indices = view.input(1);
  if (indices == nullptr || indices->shape.size() != 1) return "its indices are not a list";
  return indices->type == TensorType::kInt32 ? "" : "its indices are not int32";
}

// Comparisons, CAST and SELECT are parsed, too, but their truth values and integers are types that the delegate's check
// of computed tensors (IsAllAllowedTensors) turns away. Versions are those of CheckMaxSupportedOpVersion; version 2 of
// most kinds only adds int8.
constexpr TypeSet kTypes = kFloat32Type | kFloat16Type | kInt8Type | kUint8Type;
constexpr OperatorRule kRules[] = {
    {OpKind::kAbs, kTypes},
    {OpKind::kAdd, kTypes, 2},
    {OpKind::kAddN, kTypes},
    {OpKind::kAveragePool2d, kTypes, 2, LimitOneComputed},
    {OpKind::kBatchMatmul, kTypes},
    {OpKind::kConcatenation, kTypes, 2},
    {OpKind::kConv2d, kTypes, 6, LimitConvolution},
    {OpKind::kCos, kTypes},
    {OpKind::kCumsum, kFloat32Type | kFloat16Type},
    {OpKind::kDensify, kTypes},
    {OpKind::kDepthToSpace, kTypes, 0, LimitOneComputed},
    {OpKind::kDepthwiseConv2d, kTypes, 6, LimitDepthwise},
    {OpKind::kDequantize, kTypes, 3},
    {OpKind::kDiv, kTypes, 2},
    {OpKind::kElu, kTypes},
    {OpKind::kExp, kTypes},
    {OpKind::kFloor, kTypes},
    {OpKind::kFloorDiv, kTypes},
    {OpKind::kFloorMod, kTypes},
    {OpKind::kFullyConnected, kTypes, 9, LimitFullyConnected},
    {OpKind::kGather, kTypes, 0, LimitGather},
    {OpKind::kGelu, kTypes},
    {OpKind::kHardSwish, kTypes, 0, LimitOneComputed},
    {OpKind::kLeakyRelu, kTypes, 0, LimitOneComputed},
    {OpKind::kLog, kTypes},
    {OpKind::kLogistic, kTypes},
    {OpKind::kLstm, kTypes, 4, LimitLstm},
    {OpKind::kMaxPool2d, kTypes, 2, LimitOneComputed},
    {OpKind::kMaximum, kTypes},
    {OpKind::kMean, kTypes, 0, LimitConstantOperands},
    {OpKind::kMinimum, kTypes},
    {OpKind::kMirrorPad, kTypes, 2, LimitPad},
    {OpKind::kMul, kTypes, 3, LimitMul},
    {OpKind::kNeg, kTypes},
    {OpKind::kPack, kTypes},
    {OpKind::kPad, kTypes, 2, LimitPad},
    {OpKind::kPadv2, kTypes, 2, LimitPad},
    {OpKind::kPow, kTypes},
    {OpKind::kPrelu, kTypes, 1, LimitConstantOperands},
    {OpKind::kQuantize, kTypes, 2},
    {OpKind::kReduceMax, kTypes, 0, LimitConstantOperands},
    {OpKind::kReduceMin, kTypes, 0, LimitConstantOperands},
    {OpKind::kReduceProd, kTypes, 0, LimitConstantOperands},
    {OpKind::kRelu, kTypes, 2},
    {OpKind::kRelu6, kTypes, 2},
    {OpKind::kReluN1To1, kTypes},
    {OpKind::kReshape, kTypes, 1, LimitOneComputed},
    {OpKind::kResizeBilinear, kTypes, 3, LimitOneComputed},
    {OpKind::kResizeNearestNeighbor, kTypes, 3, LimitOneComputed},
    {OpKind::kRsqrt, kTypes},
    {OpKind::kSin, kTypes},
    {OpKind::kSlice, kTypes, 2, LimitSlice},
    {OpKind::kSoftmax, kTypes, 2, LimitSoftmax},
    {OpKind::kSpaceToDepth, kTypes, 2},
    {OpKind::kSplit, kTypes},
    {OpKind::kSplitV, kTypes},
    {OpKind::kSqrt, kTypes},
    {OpKind::kSquare, kTypes},
    {OpKind::kSquaredDifference, kTypes, 2},
    {OpKind::kStridedSlice, kTypes, 4, LimitSlice},
    {OpKind::kSub, kTypes, 3},
    {OpKind::kSum, kTypes, 0, LimitConstantOperands},
    {OpKind::kTanh, kTypes},
    {OpKind::kTile, kTypes},
    {OpKind::kTranspose, kTypes, 2, LimitOneComputed},
    {OpKind::kTransposeConv, kTypes, 3},
};

// All that is computed must be of these types; constants (axes, paddings) may be integers of any width.
std::string WhyTensors(const OperatorView& view) {
  for (const std::vector<TensorId>* tensors : {&view.op.inputs, &view.op.outputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid()) continue;
      const Tensor& tensor = view.graph.tensor(id);
      if (view.model.IsConstant(tensor)) continue;
      if (!Holds(kTypes, tensor.type)) {
        return absl::StrFormat("'%s' is %s", tensor.name, TensorTypeLabel(tensor.type));
      }
      if (tensor.shape.size() > kRankMax) {
        return absl::StrFormat("'%s' has %d dimensions; the GPU delegate takes up to %d", tensor.name,
                               tensor.shape.size(), kRankMax);
      }
    }
  }
  return "";
}

}  // namespace

std::string WhyNotOnGpu(const OperatorView& view) {
  if (std::string why = WhyNotByRules(view, kRules, "the GPU delegate"); !why.empty()) return why;
  if (std::string why = WhyTensors(view); !why.empty()) return why;
  return WhyDynamic(view);
}

const std::vector<std::string>& GpuSources() {
  static const auto& sources =
      *new std::vector<std::string>{"tensorflow/tensorflow: tensorflow/lite/delegates/gpu/common/model_builder.cc",
                                    "tensorflow/tensorflow: tensorflow/lite/tools/versioning/gpu_compatibility.cc"};
  return sources;
}

}  // namespace lathe
