#include "optimizer/compatibility/gpu_limits.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "optimizer/model/op_options.h"

namespace lathe::gpu {
namespace {

const Op* Maker(const OperatorView& view, TensorId id) {
  const auto maker = std::find_if(view.graph.ops.begin(), view.graph.ops.end(), [&](const Op& op) {
    return std::find(op.outputs.begin(), op.outputs.end(), id) != op.outputs.end();
  });
  return maker == view.graph.ops.end() ? nullptr : &*maker;
}

// The delegate takes float16 constants behind DEQUANTIZE for constants (FP16GraphPartitionHelper).
bool IsConstant(const OperatorView& view, size_t i) {
  if (view.input(i) == nullptr || view.IsConstantInput(i)) return view.input(i) != nullptr;
  const Op* maker = Maker(view, view.op.inputs[i]);
  if (maker == nullptr || maker->kind != OpKind::kDequantize || !maker->input(0).valid()) return false;
  const Tensor& source = view.graph.tensor(maker->inputs[0]);
  return source.type == TensorType::kFloat16 && view.model.IsConstant(source);
}

size_t CountComputed(const OperatorView& view) {
  size_t count = 0;
  for (size_t i = 0; i < view.op.inputs.size(); ++i) count += view.input(i) != nullptr && !IsConstant(view, i);
  return count;
}

size_t CountConstants(const OperatorView& view) {
  size_t count = 0;
  for (size_t i = 0; i < view.op.inputs.size(); ++i) count += view.input(i) != nullptr && IsConstant(view, i);
  return count;
}

std::string WhyResults(const OperatorView& view, size_t count = 1) {
  return view.op.outputs.size() == count ? "" : absl::StrFormat("it has %d results", view.op.outputs.size());
}

std::string WhyOperands(const OperatorView& view, size_t count) {
  return view.op.inputs.size() == count ? "" : absl::StrFormat("it has %d operands", view.op.inputs.size());
}

// Ranks that differ are repeated in these forms only: 3 dimensions beside 4 of a batch of one; one value beside the
// same; a batch of vectors beside 4 dimensions.
bool IsRepeated(const std::vector<int32_t>& longer, const std::vector<int32_t>& shorter) {
  if (longer.size() != 4) return false;
  if (shorter.size() == 3) return longer[0] == 1;
  if (shorter.size() != 2) return false;
  const bool value = longer[0] == 1 && shorter[0] == 1 && shorter[1] == 1;
  return value || (longer[0] == shorter[0] && longer[3] == shorter[1]);
}

std::vector<const Op*> Readers(const OperatorView& view, TensorId id) {
  std::vector<const Op*> readers;
  for (const Op& op : view.graph.ops) {
    if (std::find(op.inputs.begin(), op.inputs.end(), id) != op.inputs.end()) readers.push_back(&op);
  }
  return readers;
}

bool IsFloat(const Tensor* tensor) { return tensor != nullptr && Holds(kFloat32Type | kFloat16Type, tensor->type); }

bool IsScalar(const Tensor& tensor) { return tensor.NumElements() == 1 && tensor.shape.size() <= 1; }

std::string WhyOnlyOneConstant(const OperatorView& view) {
  const bool both = CountComputed(view) == 2 && CountConstants(view) == 0;
  const bool one = CountComputed(view) == 1 && CountConstants(view) == 1;
  return both || one ? "" : "it has other than two operands, or no computed one";
}

// The kernel of 5 operands.
std::string LimitBasicLstm(const OperatorView& view) {
  constexpr int32_t kLane = 4;
  if (CountComputed(view) != 3 || CountConstants(view) != 2) return "its weights are computed, or its states constant";
  if (std::string why = WhyResults(view, 4); !why.empty()) return why;
  const Tensor* sums = view.output(3);
  if (sums != nullptr && !sums->shape.empty() && sums->shape.back() % kLane != 0) {
    return "its cells are not a multiple of 4";
  }
  if (ClipsLstm(view.op)) return "it clips its cells or its projection";
  return FusedActivation(view.op) == Activation::kTanh ? "" : "its activation is not TANH";
}

}  // namespace

std::string LimitOneArgument(const OperatorView& view) {
  if (CountComputed(view) != 1 || CountConstants(view) != 0) return "its operand is a constant";
  return WhyResults(view);
}

std::string LimitTwoArguments(const OperatorView& view) {
  if (FusedActivation(view.op) == Activation::kSignBit) return "it has the fused activation SIGN_BIT";
  if (std::string why = WhyOnlyOneConstant(view); !why.empty()) return why;
  const bool twice = view.op.inputs.size() == 2 && view.op.inputs[0] == view.op.inputs[1];
  if (twice) return "both operands are the same tensor";  // the delegate gives up as a whole
  return WhyResults(view);
}

std::string LimitOneComputed(const OperatorView& view) {
  if (FusedActivation(view.op) == Activation::kSignBit) return "it has the fused activation SIGN_BIT";
  return CountComputed(view) == 1 ? WhyResults(view) : "operands besides the data are computed";
}

std::string LimitAdd(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 2); !why.empty()) return why;
  const Tensor *a = view.input(0), *b = view.input(1);
  if (a == nullptr || b == nullptr) return "it lacks operands";
  if (std::string why = WhyOnlyOneConstant(view); !why.empty()) return why;
  if (a->shape.size() < b->shape.size()) std::swap(a, b);
  const bool same_rank = a->shape.size() == b->shape.size() || b->shape.size() <= 1;
  return same_rank || IsRepeated(a->shape, b->shape) ? "" : "its operands differ in rank, and one cannot be repeated";
}

std::string LimitAddN(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 2); !why.empty()) return why;
  return WhyOnlyOneConstant(view);
}

// Beside constants it becomes a convolution, whose weights are a matrix.
std::string LimitBatchMatmul(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 2); !why.empty()) return why;
  if (view.input(0) == nullptr || IsConstant(view, 0)) return "its first operand is a constant";
  const bool cube = IsConstant(view, 1) && view.input(1)->shape.size() != 2;
  return cube ? "its constant operand is not a matrix" : WhyResults(view);
}

std::string LimitBlock(const OperatorView& view) {
  if (GetBlockSize(view.op).value_or(0) <= 1) return "its block is not larger than 1";
  return LimitOneComputed(view);
}

std::string LimitCast(const OperatorView& view) {
  if (std::string why = LimitOneComputed(view); !why.empty()) return why;
  const Tensor *from = view.input(0), *to = view.output(0);
  if (to == nullptr) return "it lacks results";
  if (from->type == TensorType::kBool && IsFloat(to)) {
    const Op* maker = Maker(view, view.op.inputs[0]);
    const bool taken = maker != nullptr && Readers(view, view.op.inputs[0]).size() == 1 &&
                       Readers(view, view.op.outputs[0]).size() == 1;
    return taken ? "" : "its truth values are an input, or it makes an output";
  }
  if (IsFloat(from) && to->type == TensorType::kBool) return "";
  constexpr TypeSet kNumbers = kFloat32Type | kInt32Type;
  if (Holds(kNumbers, from->type) && Holds(kNumbers, to->type)) return "";
  return absl::StrFormat("it makes %s of %s", TensorTypeLabel(to->type), TensorTypeLabel(from->type));
}

std::string LimitComparison(const OperatorView& view) {
  if (std::string why = LimitTwoArguments(view); !why.empty()) return why;
  const std::vector<const Op*> readers = Readers(view, view.op.outputs[0]);
  if (readers.size() != 1) return "its truth values are read by other than one operator";
  const Op& reader = *readers[0];
  const bool chooses =
      reader.kind == OpKind::kCast || reader.kind == OpKind::kSelect || reader.kind == OpKind::kSelectV2;
  const bool to_floats =
      !reader.outputs.empty() && reader.outputs[0].valid() && IsFloat(&view.graph.tensor(reader.outputs[0]));
  return chooses && to_floats ? "" : "its truth values are not read by CAST or SELECT that makes floats";
}

std::string LimitConvolution(const OperatorView& view) {
  if (CountComputed(view) > 2) return "it has more than 2 computed operands";
  if (FusedActivation(view.op) == Activation::kSignBit) return "it has the fused activation SIGN_BIT";
  const Tensor *data = view.input(0), *weights = view.input(1);
  const bool shapes = data != nullptr && weights != nullptr && !data->shape.empty() && !weights->shape.empty();
  const bool groups =
      view.op.kind == OpKind::kConv2d && shapes && !IsConstant(view, 1) && data->shape.back() != weights->shape.back();
  return groups ? "it has groups, and computed weights" : WhyResults(view);
}

std::string LimitCumsum(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 2); !why.empty()) return why;
  if (!IsFloat(view.input(0))) return "its operand is not float";
  const bool axis = IsConstant(view, 1) && view.input(1)->type == TensorType::kInt32;
  return axis ? WhyResults(view) : "its axis is not an int32 constant";
}

std::string LimitDensify(const OperatorView& view) {
  return CountComputed(view) == 0 ? WhyResults(view) : "its operand is computed";
}

std::string LimitDepthwise(const OperatorView& view) {
  if (std::string why = LimitConvolution(view); !why.empty()) return why;
  const Tensor *data = view.input(0), *weights = view.input(1), *result = view.output(0), *bias = view.input(2);
  if (data == nullptr || weights == nullptr || result == nullptr) return "it lacks operands";
  if (data->shape.size() != 4 || weights->shape.size() != 4 || result->shape.size() != 4) {
    return "it is not of 4 dimensions";
  }
  if (data->shape[0] != result->shape[0]) return "its batches differ";
  const int32_t channels = result->shape[3];
  if (weights->shape[3] != channels) return "its weights are not one for each channel of the result";
  const auto options = GetConvOptions(view.op);
  if (channels != data->shape[3] * (options ? options->depth_multiplier : 1)) return "its depth multiplier is wrong";
  // An operand that is left out counts as one value.
  const int64_t biases = bias != nullptr ? bias->NumElements() : view.op.inputs.size() > 2 ? 1 : channels;
  return biases == channels ? "" : "its bias is not one for each channel of the result";
}

std::string LimitDequantize(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 1); !why.empty()) return why;
  const bool wide = view.input(0) != nullptr && view.input(0)->type == TensorType::kInt16;
  return wide ? "its operand is int16" : WhyResults(view);
}

std::string LimitFullyConnected(const OperatorView& view) {
  const auto options = GetFullyConnectedOptions(view.op);
  if (options && !options->default_weights_format) return "its weights are shuffled";
  if (CountComputed(view) > 2) return "it has more than 2 computed operands";
  const Tensor *data = view.input(0), *result = view.output(0);
  if (data == nullptr || result == nullptr) return "it lacks operands";
  if (IsConstant(view, 0)) return "its data is a constant";
  const bool reshapes = options && options->keep_num_dims && data->shape.size() != result->shape.size();
  return reshapes ? "it keeps dimensions that its result does not have" : "";
}

std::string LimitGather(const OperatorView& view) {
  if (std::string why = WhyOnlyOneConstant(view); !why.empty()) return why;
  const Tensor* indices = view.input(1);
  if (indices == nullptr || indices->shape.size() != 1) return "its indices are not a list";
  if (indices->type != TensorType::kInt32) return "its indices are not int32";
  return IsConstant(view, 0) ? "its data is a constant" : WhyResults(view);
}

std::string LimitLstm(const OperatorView& view) {
  if (!HasFullLstmKernel(view.op)) return LimitBasicLstm(view);
  const size_t count = view.op.inputs.size();
  if (count != 20 && count != 24) return absl::StrFormat("it has %d operands", count);
  if (FusedActivation(view.op) != Activation::kTanh) return "its activation is not TANH";
  return WhyResults(view);
}

std::string LimitMirrorPad(const OperatorView& view) {
  return PadsByReflection(view.op) ? LimitPad(view) : "it repeats the edge, too (SYMMETRIC)";
}

std::string LimitOneHot(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 4); !why.empty()) return why;
  const Tensor* indices = view.input(0);
  if (indices == nullptr || indices->type != TensorType::kInt32) return "its indices are not int32";
  for (size_t i = 1; i + 1 < indices->shape.size(); ++i) {
    if (indices->shape[i] != 1) return "its indices are more than a batch of lists";
  }
  if (indices->shape.size() == 2 || indices->shape.size() == 3) {
    if (indices->shape[0] != 1) return "its indices are more than a batch of lists";
  }
  for (size_t i : {size_t{2}, size_t{3}}) {
    const Tensor* value = view.input(i);
    const bool constant = IsConstant(view, i) && value->type == TensorType::kFloat32 && IsScalar(*value);
    if (!constant) return "its values are not float constants";
  }
  return WhyResults(view);
}

std::string LimitPad(const OperatorView& view) {
  if (std::string why = LimitOneComputed(view); !why.empty()) return why;
  const Tensor* paddings = view.input(1);
  if (paddings == nullptr || paddings->shape.size() != 2) return "it lacks paddings";
  const bool taken = (paddings->shape[0] == 3 || paddings->shape[0] == 4) && paddings->shape[1] == 2;
  return taken ? "" : "it pads other than 3 or 4 dimensions";
}

// One slope for each channel, or for each value.
std::string LimitPrelu(const OperatorView& view) {
  const Tensor *data = view.input(0), *slopes = view.input(1);
  if (data == nullptr || slopes == nullptr || data->shape.empty()) return "it lacks operands";
  if (!IsConstant(view, 1)) return "its slopes are computed";
  const int64_t count = slopes->NumElements(), values = data->NumElements() / std::max(data->shape[0], 1);
  return count == data->shape.back() || count == values ? "" : "its slopes are not one for each channel or value";
}

std::string LimitReduction(const OperatorView& view) {
  if (CountComputed(view) != 1 || CountConstants(view) != 1) return "its axes are computed, or its data is constant";
  const Tensor* axes = view.input(1);
  return axes != nullptr && axes->type == TensorType::kInt32 ? WhyResults(view) : "its axes are not int32";
}

std::string LimitSelect(const OperatorView& view) {
  if (std::string why = WhyOperands(view, 3); !why.empty()) return why;
  const Tensor *condition = view.input(0), *result = view.output(0);
  if (condition == nullptr || result == nullptr) return "it lacks operands";
  if (!IsFloat(condition) && condition->type != TensorType::kBool) return "its condition is neither bool nor float";
  if (condition->shape.size() > result->shape.size()) return "its condition has more dimensions than its result";
  const size_t offset = result->shape.size() - condition->shape.size();
  for (size_t i = 0; i < condition->shape.size(); ++i) {
    const bool fits = condition->shape[i] == 1 || condition->shape[i] == result->shape[offset + i];
    if (!fits) return "its condition cannot be repeated to its result";
  }
  for (size_t i : {size_t{1}, size_t{2}}) {
    const Tensor* choice = view.input(i);
    if (choice == nullptr) return "it lacks operands";
    if (choice->shape != result->shape && !IsScalar(*choice))
      return "a choice is neither one value nor like its result";
    if (!IsConstant(view, i) && choice->shape.size() == 2) return "a choice of 2 dimensions is computed";
  }
  return WhyResults(view);
}

std::string LimitSlice(const OperatorView& view) {
  const Tensor *from = view.input(0), *to = view.output(0);
  if (from == nullptr || to == nullptr || view.op.inputs.size() < 3) return "it lacks operands";
  const size_t rank = from->shape.size();
  if (rank != 3 && rank != 4) return absl::StrFormat("it slices %d dimensions; the GPU delegate takes 3 or 4", rank);
  return LimitConstantOperands(view);
}

std::string LimitSoftmax(const OperatorView& view) {
  return GetSoftmaxBeta(view.op).value_or(1.0f) == 1.0f ? "" : "its beta is not 1";
}

std::string LimitStridedSlice(const OperatorView& view) {
  const StridedSliceMasks masks = GetStridedSliceMasks(view.op).value_or(StridedSliceMasks());
  if (masks.ellipsis != 0) return "it has an ellipsis";
  if (masks.new_axis != 0 || masks.shrink_axis != 0) return "it drops or adds dimensions";
  if (std::string why = LimitSlice(view); !why.empty()) return why;
  if (view.op.inputs.size() < 4 || view.input(3) == nullptr || view.input(3)->type != TensorType::kInt32) {
    return "its strides are not int32";
  }
  const auto strides = view.model.Int32Data(*view.input(3));
  return std::all_of(strides.begin(), strides.end(), [](int32_t stride) { return stride > 0; }) ? ""
                                                                                                : "it runs backwards";
}

}  // namespace lathe::gpu
