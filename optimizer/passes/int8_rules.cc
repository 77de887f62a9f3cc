#include "optimizer/passes/int8_rules.h"

#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

const std::vector<Int8Rule>& Rules() {
  using enum ScaleClass;
  static const auto& rules = *new std::vector<Int8Rule>{
      {.kind = OpKind::kAdd, .scale_class = kFree, .data = {0, 1}},
      {.kind = OpKind::kAveragePool2d, .scale_class = kSameAsInput, .data = {0}},
      {.kind = OpKind::kConv2d, .scale_class = kFree, .data = {0}, .has_weights = true, .bias_required = true},
      {.kind = OpKind::kDepthwiseConv2d, .scale_class = kFree, .data = {0}, .has_weights = true, .bias_required = true},
      {.kind = OpKind::kDepthToSpace, .scale_class = kSameAsInput, .data = {0}},
      {.kind = OpKind::kFullyConnected, .scale_class = kFree, .data = {0}, .has_weights = true},
      {.kind = OpKind::kMaxPool2d, .scale_class = kSameAsInput, .data = {0}},
      {.kind = OpKind::kMean, .scale_class = kFree, .data = {0}},
      // Not in XNNPACK either, but as fast as a float island (edsr: 725 ms against 727) and 0.3 dB closer.
      {.kind = OpKind::kMinimum, .scale_class = kSameAsOutput, .data = {0, 1}},
      {.kind = OpKind::kPad, .scale_class = kSameAsInput, .data = {0}},
      // face_landmark with all 23 in int8: 13.7 ms, with float islands 1.5 ms (docs/decisions, operators in int8).
      {.kind = OpKind::kPrelu, .scale_class = kFree, .data = {0, 1}, .pays = false},
      {.kind = OpKind::kRelu, .scale_class = kFree, .data = {0}},
      {.kind = OpKind::kRelu6, .scale_class = kFree, .data = {0}},
      {.kind = OpKind::kReshape, .scale_class = kSameAsInput, .data = {0}},
      // The kernel checks 1/256 and -128 when it is prepared.
      {.kind = OpKind::kSoftmax,
       .scale_class = kFixedOutput,
       .data = {0},
       .fixed_output = {.scale = 1.0f / 256.0f, .zero_point = -128}},
  };
  return rules;
}

std::string WhyNotActivation(const Model& model, const Tensor& tensor, bool is_result) {
  if (tensor.quantization.IsQuantized()) return "it is quantized already";
  if (tensor.type != TensorType::kFloat32)
    return absl::StrFormat("'%s' is %s", tensor.name, TensorTypeName(tensor.type));
  if (tensor.is_variable) return absl::StrFormat("'%s' is a variable", tensor.name);
  if (is_result && model.IsConstant(tensor)) return absl::StrFormat("'%s' is a constant", tensor.name);
  if (tensor.sparsity != nullptr) return absl::StrFormat("'%s' is sparse", tensor.name);
  return "";
}

}  // namespace

const Int8Rule* FindInt8Rule(OpKind kind) {
  for (const Int8Rule& rule : Rules()) {
    if (rule.kind == kind) return &rule;
  }
  return nullptr;
}

std::string WhyNotInt8(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings) {
  const Int8Rule* rule = FindInt8Rule(op.kind);
  if (rule == nullptr) return "this version has no int8 rule for the operator";
  if (!rule->pays && !settings.require_full_integer.value_or(false)) {
    return "XNNPACK does not take the int8 kernel, which is slower than float with QUANTIZE and DEQUANTIZE around it";
  }
  if (rule->has_weights) {
    if (std::string why = WhyNoIntegerWeights(model, subgraph, op); !why.empty()) return why;
    const TensorId bias = op.input(*GetWeightOperands(op.kind)->bias);
    if (bias.valid() && !IsDenseFloatConstant(model, subgraph.tensor(bias)))
      return "its bias is not a float32 constant";
  }
  for (size_t operand : rule->data) {
    if (!op.input(operand).valid()) return "it lacks operands";
    if (std::string why = WhyNotActivation(model, subgraph.tensor(op.inputs[operand]), false); !why.empty()) return why;
  }
  if (op.outputs.size() != 1) return "it has several outputs";
  return WhyNotActivation(model, subgraph.tensor(op.outputs[0]), true);
}

}  // namespace lathe
