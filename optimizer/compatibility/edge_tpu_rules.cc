#include <algorithm>

#include "absl/strings/str_format.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// Only the three innermost dimensions of a tensor may be larger than 1.
constexpr size_t kRankMax = 3;
constexpr int64_t kSoftmaxElementsMax = 16'000;

std::string LimitConcatenation(const OperatorView& view) {
  if (std::string why = LimitFusedActivation(view); !why.empty()) return why;
  for (size_t i = 0; i < view.op.inputs.size(); ++i) {
    if (!view.IsConstantInput(i)) continue;
    if (view.op.inputs.size() != 2) return "it joins a constant with several tensors";
    const Tensor& constant = *view.input(i);
    const int64_t zero =
        constant.quantization.zero_point.empty() ? int64_t{0} : constant.quantization.zero_point.front();
    const auto bytes = view.model.buffer(constant.buffer).bytes();
    const auto is_zero = [&](uint8_t byte) { return byte == static_cast<uint8_t>(zero); };
    if (!std::all_of(bytes.begin(), bytes.end(), is_zero)) return "it joins a constant that is not all zero";
  }
  return "";
}

std::string LimitDilation(const OperatorView& view) {
  const auto options = GetConvOptions(view.op);
  if (options && options->dilation_h != options->dilation_w) return "its dilation differs in height and width";
  return "";
}

std::string LimitFullyConnected(const OperatorView& view) {
  const auto options = GetFullyConnectedOptions(view.op);
  if (options && !options->default_weights_format) return "its weights are shuffled";
  const Tensor* result = view.output(0);
  if (result == nullptr || result->shape.empty()) return "it lacks results";
  return result->NumElements() == result->shape.back() ? "" : "its result has more than one dimension";
}

std::string LimitMean(const OperatorView& view) {
  if (std::string why = LimitBatchAxis(view); !why.empty()) return why;
  const Tensor& data = *view.input(0);
  const auto rank = static_cast<int32_t>(data.shape.size());
  for (int32_t axis : view.model.Int32Data(*view.input(1))) {
    if ((axis == rank - 1 || axis == -1) && data.shape.back() % 4 != 0) {
      return "it reduces the innermost dimension, which is not a multiple of 4";
    }
  }
  return "";
}

std::string LimitPack(const OperatorView& view) {
  const Tensor* result = view.output(0);
  if (result == nullptr) return "it lacks results";
  const int32_t axis = GetPackAxis(view.op).value_or(0);
  return axis == 0 || axis == -static_cast<int32_t>(result->shape.size()) ? "it packs the batch dimension" : "";
}

// Paddings are rows of before and after.
std::string LimitPad(const OperatorView& view) {
  if (!view.IsConstantInput(1) || view.input(1)->type != TensorType::kInt32) return "its paddings are not constant";
  const auto paddings = view.model.Int32Data(*view.input(1));
  const bool batch = view.input(1)->shape.size() == 2 && view.input(1)->shape[0] == 4 && paddings.size() >= 2;
  return batch && (paddings[0] != 0 || paddings[1] != 0) ? "it pads the batch dimension" : "";
}

std::string LimitPrelu(const OperatorView& view) {
  const Tensor* alpha = view.input(1);
  if (alpha == nullptr || alpha->shape.empty()) return "";
  return alpha->NumElements() == alpha->shape.back() ? "" : "its slopes have more than one dimension";
}

std::string LimitSoftmax(const OperatorView& view) {
  const Tensor* data = view.input(0);
  if (data == nullptr || data->shape.empty()) return "it lacks operands";
  if (data->NumElements() != data->shape.back()) return "its operand has more than one dimension";
  return data->NumElements() <= kSoftmaxElementsMax ? "" : "its operand has more than 16,000 elements";
}

std::string LimitSplit(const OperatorView& view) {
  if (!view.IsConstantInput(0) || view.input(0)->type != TensorType::kInt32) return "its axis is not constant";
  const auto axis = view.model.Int32Data(*view.input(0));
  const Tensor* data = view.input(1);
  const bool batch =
      !axis.empty() && data != nullptr && (axis[0] == 0 || axis[0] == -static_cast<int32_t>(data->shape.size()));
  return batch ? "it splits the batch dimension" : "";
}

std::string LimitStridedSlice(const OperatorView& view) {
  const StridedSliceMasks masks = GetStridedSliceMasks(view.op).value_or(StridedSliceMasks());
  if (masks.ellipsis != 0) return "it has an ellipsis";
  if (masks.new_axis != 0) return "it adds dimensions";
  const Tensor* strides = view.input(3);
  if (strides == nullptr) return "it lacks operands";
  if (!view.IsConstantInput(3) || strides->type != TensorType::kInt32) return "its strides are not constant";
  const auto values = view.model.Int32Data(*strides);
  const bool all_one = std::all_of(values.begin(), values.end(), [](int32_t stride) { return stride == 1; });
  return all_one ? "" : "it has strides other than 1";
}

// The table of supported operations of the Edge TPU runtime 14. That parameters are constants is among its requirements
// of a model. Versions of operators are not published; those here are of files that compiler 16.0 was seen to refuse as
// a whole (issues 879 and 845).
constexpr TypeSet kTypes = kInt8Type | kUint8Type;
constexpr OperatorRule kRules[] = {
    {OpKind::kAdd, kTypes},
    {OpKind::kAveragePool2d, kTypes, 0, LimitFusedActivation},
    {OpKind::kConcatenation, kTypes, 0, LimitConcatenation},
    {OpKind::kConv2d, kTypes, 0, LimitDilation, 0, 0b110},
    {OpKind::kDepthwiseConv2d, kTypes, 0, LimitDilation, 0, 0b110},
    {OpKind::kExpandDims, kTypes},
    {OpKind::kFullyConnected, kTypes, 0, LimitFullyConnected, 0, 0b110},
    {OpKind::kL2Normalization, kTypes},
    {OpKind::kLogistic, kTypes},
    {OpKind::kUnidirectionalSequenceLstm, kTypes},
    {OpKind::kMaximum, kTypes},
    {OpKind::kMaxPool2d, kTypes, 0, LimitFusedActivation},
    {OpKind::kMean, kTypes, 0, LimitMean},
    {OpKind::kMinimum, kTypes},
    {OpKind::kMul, kTypes},
    {OpKind::kPack, kTypes, 0, LimitPack},
    {OpKind::kPad, kTypes, 0, LimitPad},
    {OpKind::kPrelu, kTypes, 0, LimitPrelu},
    {OpKind::kQuantize, kTypes, 2},
    {OpKind::kReduceMax, kTypes, 0, LimitBatchAxis},
    {OpKind::kReduceMin, kTypes, 0, LimitBatchAxis},
    {OpKind::kRelu, kTypes},
    {OpKind::kRelu6, kTypes},
    {OpKind::kReluN1To1, kTypes},
    {OpKind::kReshape, kTypes},
    {OpKind::kResizeBilinear, kTypes},
    {OpKind::kResizeNearestNeighbor, kTypes},
    {OpKind::kRsqrt, kTypes},
    {OpKind::kSlice, kTypes},
    {OpKind::kSoftmax, kTypes, 0, LimitSoftmax},
    {OpKind::kSpaceToDepth, kTypes},
    {OpKind::kSplit, kTypes, 0, LimitSplit},
    {OpKind::kSquaredDifference, kTypes},
    {OpKind::kSqueeze, kTypes},
    {OpKind::kStridedSlice, kTypes, 0, LimitStridedSlice},
    {OpKind::kSub, kTypes},
    {OpKind::kSum, kTypes, 0, LimitBatchAxis},
    {OpKind::kTanh, kTypes},
    {OpKind::kTranspose, kTypes},
    {OpKind::kTransposeConv, kTypes, 3, nullptr, 0, 0b1010},
};

// Every computed tensor is 8-bit with a scale, and no larger than three dimensions.
std::string WhyTensors(const OperatorView& view) {
  for (const std::vector<TensorId>* tensors : {&view.op.inputs, &view.op.outputs}) {
    for (TensorId id : *tensors) {
      if (!id.valid()) continue;
      const Tensor& tensor = view.graph.tensor(id);
      if (view.model.IsConstant(tensor)) {
        if (tensor.type == TensorType::kFloat32) return absl::StrFormat("'%s' is float32", tensor.name);
        continue;
      }
      if (!Holds(kTypes, tensor.type) || !tensor.quantization.IsQuantized()) {
        return absl::StrFormat("'%s' is %s, not quantized to 8 bits", tensor.name, TensorTypeLabel(tensor.type));
      }
      const size_t outer = tensor.shape.size() > kRankMax ? tensor.shape.size() - kRankMax : 0;
      if (std::any_of(tensor.shape.begin(), tensor.shape.begin() + static_cast<std::ptrdiff_t>(outer),
                      [](int32_t dimension) { return dimension > 1; })) {
        return absl::StrFormat("'%s' has more than %d dimensions larger than 1 (batches are run one by one)",
                               tensor.name, kRankMax);
      }
    }
  }
  return "";
}

}  // namespace

std::string WhyNotOnEdgeTpu(const OperatorView& view) {
  if (std::string why = WhyNotByRules(view, kRules, "the Edge TPU"); !why.empty()) return why;
  if (std::string why = WhyTensors(view); !why.empty()) return why;
  return WhyDynamic(view);
}

const std::vector<std::string>& EdgeTpuSources() {
  static const auto& sources = *new std::vector<std::string>{
      "coral.ai/docs/edgetpu/models-intro: model requirements, supported operations",
      "developer.axis.com, artpec-7 supported-ops: the same table for the newest runtime",
      "github.com/google-coral/edgetpu, issues 845 and 879: versions that compiler 16.0 does not read"};
  return sources;
}

}  // namespace lathe
