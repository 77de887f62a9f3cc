#include "optimizer/passes/integer_rewriter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "optimizer/model/op_options.h"
#include "optimizer/passes/integer_rules.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {

absl::StatusOr<int64_t> IntegerRewriter::Rewrite(const CancelToken& cancel) {
  int64_t count = 0;
  const size_t op_count = graph().ops.size();
  PlanSurface();
  UseDequantizedSources();
  for (size_t i = 0; i < op_count; ++i) {
    LATHE_RETURN_IF_ERROR(cancel.Check());
    // A copy: adding tensors and operands moves what it refers to.
    const Op op = graph().ops[i];
    if (plan_.widths[i] == 0) {
      RewriteFloat(OpId(i), op);
    } else {
      LATHE_RETURN_IF_ERROR(RewriteInteger(OpId(i), op));
      ++count;
    }
  }
  RewriteOutputs();
  editor_.Finish();
  return count;
}

bool IntegerRewriter::IsFloatActivation(TensorId tensor) const {
  if (!tensor.valid()) return false;
  const Tensor& description = model_.subgraphs[0].tensor(tensor);
  return description.type == TensorType::kFloat32 && !description.is_variable && !model_.IsConstant(description);
}

// What the model's inputs and outputs are to its callers.
void IntegerRewriter::PlanSurface() {
  if (inputs_.settings.io_type.value_or("float32") == "float32") return;
  const auto keep = [&](TensorId tensor) {
    if (IsFloatActivation(tensor)) forms_.Keep(tensor, SurfaceOf(tensor));
  };
  // By value: SetHome retypes the tensors of which they are the ids.
  const std::vector<TensorId> inputs = graph().inputs, outputs = graph().outputs;
  std::for_each(inputs.begin(), inputs.end(), keep);
  std::for_each(outputs.begin(), outputs.end(), keep);
  for (TensorId input : inputs) {
    if (IsFloatActivation(input)) forms_.SetHome(input, SurfaceOf(input));
  }
}

Form IntegerRewriter::SurfaceOf(TensorId tensor) const {
  const std::string type = inputs_.settings.io_type.value_or("float32");
  const TensorRange* range = inputs_.ranges.Find(tensor);
  if (type == "float32" || range == nullptr) return Form::Float();
  const int bits = type == "int16" ? 16 : 8;
  const math::AffineParams chosen =
      bits == 16 ? math::ChooseInt16Params(range->min, range->max) : math::ChooseInt8Params(range->min, range->max);
  Form form = Form::Integer(bits, plan_.Find(tensor, bits).value_or(chosen));
  if (type == "uint8") {
    form.type = TensorType::kUint8;
    form.params.zero_point += 128;
  }
  return form;
}

bool IntegerRewriter::IsReadAsFloat(TensorId tensor) const {
  const auto& consumers = uses_.consumers(tensor);
  return uses_.IsSubgraphOutput(tensor) ||
         std::any_of(consumers.begin(), consumers.end(), [&](OpId reader) { return width(reader) == 0; });
}

// Where the input file dequantizes integers, integer readers take these instead of what DEQUANTIZE makes of them.
void IntegerRewriter::UseDequantizedSources() {
  for (size_t i = 0; i < graph().ops.size(); ++i) {
    const Op& op = graph().ops[i];
    if (op.kind != OpKind::kDequantize || op.outputs.empty() || uses_.IsSubgraphOutput(op.outputs[0])) continue;
    const Tensor& from = graph().tensor(op.inputs[0]);
    const int bits = from.type == TensorType::kInt8 ? 8 : from.type == TensorType::kInt16 ? 16 : 0;
    const auto params = bits == 0 ? std::nullopt : plan_.Find(op.outputs[0], bits);
    if (!params || from.quantization.scale != std::vector<float>{params->scale} ||
        from.quantization.zero_point != std::vector<int64_t>{params->zero_point}) {
      continue;
    }
    forms_.SetSource(op.outputs[0], Form::Integer(bits, *params), op.inputs[0]);
    forms_.HasFloat(op.outputs[0]);
    if (!IsReadAsFloat(op.outputs[0])) editor_.Erase(OpId(i));
  }
}

// A clamp does nothing when its operand is on the grid of its result and that grid has no value outside: the operator
// before saturates. XNNPACK takes no int8 RELU, so this is time, too.
bool IntegerRewriter::IsNeedless(OpId id, const Op& op) const {
  float lo = 0, hi = std::numeric_limits<float>::infinity();
  switch (op.kind) {
    case OpKind::kRelu:
      break;
    case OpKind::kRelu6:
      hi = 6;
      break;
    case OpKind::kRelu0To1:
      hi = 1;
      break;
    case OpKind::kReluN1To1:
      lo = -1, hi = 1;
      break;
    default:
      return false;
  }
  // Something must write what callers of the model read.
  const bool surfaces = uses_.IsSubgraphOutput(op.outputs[0]) && !SurfaceOf(op.outputs[0]).is_float();
  if (width(id) != 8 || surfaces || plan_.groups.Find(op.inputs[0], 8) != plan_.groups.Find(op.outputs[0], 8)) {
    return false;
  }
  const math::AffineParams grid = *plan_.Find(op.outputs[0], 8);
  const auto zero_point = static_cast<float>(grid.zero_point);
  // Half a quantum: what the clamp would move rounds to where it is.
  return grid.scale * (-127.5f - zero_point) >= lo && grid.scale * (126.5f - zero_point) <= hi;
}

absl::Status IntegerRewriter::RewriteInteger(OpId id, const Op& op) {
  const IntegerRule& rule = *FindIntegerRule(op.kind);
  const int bits = width(id);
  if (IsNeedless(id, op)) {
    const Form form = Form::Integer(bits, *plan_.Find(op.outputs[0], bits));
    forms_.SetSource(op.outputs[0], form, forms_.Get(op.inputs[0], form));
    editor_.Erase(id);
    return absl::OkStatus();
  }
  if (rule.has_weights) LATHE_RETURN_IF_ERROR(RewriteWeights(id, op));
  for (size_t operand : DataOperands(rule, op)) {
    const Form wanted = Form::Integer(bits, plan_.WantedBy(id, op, operand));
    editor_.SetInput(id, operand, forms_.Get(op.inputs[operand], wanted));
  }
  if (rule.scale_class != ScaleClass::kNoOutput) {
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const TensorId result = op.outputs[i];
      const Form form = Form::Integer(bits, *plan_.Find(result, bits));
      if (!IsReadAsFloat(result)) forms_.Keep(result, form);
      editor_.SetOutput(id, i, forms_.SetHome(result, form));
    }
  }
  // Unless told otherwise, the int16 kernels expect scales that are powers of two.
  if (bits == 16) editor_.SetOptions(id, WithPotScaleInt16(op, false));
  editor_.SetVersion(id, MinimalVersion(graph(), graph().ops[id.index()]));
  return absl::OkStatus();
}

absl::Status IntegerRewriter::RewriteWeights(OpId id, const Op& op) {
  const WeightOperands operands = *GetWeightOperands(op.kind);
  const int bits = width(id);
  const StaticScales scales = {.bits = bits,
                               .input = plan_.WantedBy(id, op, operands.data).scale,
                               .output = plan_.Find(op.outputs[0], bits)->scale};
  const QuantizeSettings& own = *FullIntegerSettings(inputs_.table, inputs_.settings, op);
  LATHE_ASSIGN_OR_RETURN(StaticWeights made, MakeStaticWeights(model_, id, op, scales, own, inputs_.weights));
  const TensorId old_bias = op.input(*operands.bias);
  const bool shifted =
      inputs_.weights != nullptr && inputs_.weights->contains(id) && !inputs_.weights->at(id).bias_shift.empty();
  if (old_bias.valid() || FindIntegerRule(op.kind)->bias_required || shifted) {
    Tensor bias;
    bias.name = old_bias.valid() ? graph().tensor(old_bias).name : graph().tensor(op.outputs[0]).name + "_bias";
    bias.type = made.bias_type;
    bias.shape = {graph().tensor(op.inputs[operands.weights]).shape[static_cast<size_t>(operands.axis)]};
    bias.quantization = std::move(made.bias_quantization);
    bias.buffer = editor_.AddBuffer(std::move(made.bias));
    editor_.PadInputs(id, *operands.bias + 1);
    editor_.SetInput(id, *operands.bias, editor_.AddTensor(std::move(bias)));
  }
  editor_.SetInput(id, operands.weights, WeightTensor(id, op, operands.weights, made));
  return absl::OkStatus();
}

// Weights that several operators share are stored once for those that quantize them alike.
TensorId IntegerRewriter::WeightTensor(OpId id, const Op& op, size_t operand, StaticWeights& made) {
  const TensorId weights = op.inputs[operand];
  const bool chosen =
      inputs_.weights != nullptr && inputs_.weights->contains(id) && !inputs_.weights->at(id).scales.empty();
  const auto key = std::make_tuple(weights, made.type, made.quantization.scale, chosen ? id : OpId());
  if (const auto found = weights_.find(key); found != weights_.end()) return found->second;
  Tensor tensor = graph().tensor(weights);
  tensor.type = made.type;
  tensor.quantization = std::move(made.quantization);
  tensor.buffer = editor_.AddBuffer(std::move(made.data));
  return weights_[key] = editor_.AddTensor(std::move(tensor));
}

void IntegerRewriter::RewriteFloat(OpId id, const Op& op) {
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    if (!IsFloatActivation(op.inputs[i])) continue;
    const TensorId as_float = forms_.Get(op.inputs[i], Form::Float());
    if (as_float != op.inputs[i]) editor_.SetInput(id, i, as_float);
  }
  for (size_t i = 0; i < op.outputs.size(); ++i) {
    if (!IsFloatActivation(op.outputs[i]) || !uses_.IsSubgraphOutput(op.outputs[i])) continue;
    editor_.SetOutput(id, i, forms_.SetHome(op.outputs[i], Form::Float()));
  }
}

void IntegerRewriter::RewriteOutputs() {
  const std::vector<TensorId> outputs = graph().outputs;
  for (TensorId output : outputs) {
    const Tensor& tensor = graph().tensor(output);
    if (!model_.IsConstant(tensor) && !tensor.is_variable) forms_.MakeKept(output);
  }
}

}  // namespace lathe
