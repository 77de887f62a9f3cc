#include "optimizer/passes/artifact_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "optimizer/model/op_options.h"
#include "optimizer/passes/integer_rules.h"
#include "optimizer/passes/runtime_versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

constexpr double kRelative = 1e-6;
// The kernels write a multiplier as a 31-bit mantissa and a shift of at most 30. One below 2^-32 becomes 0, which is
// right for the dead channels of trained models that have them.
constexpr double kMultiplierMax = 0x1p30;

bool IsInteger(TensorType type) {
  switch (type) {
    case TensorType::kInt2:
    case TensorType::kInt4:
    case TensorType::kInt8:
    case TensorType::kUint8:
    case TensorType::kInt16:
    case TensorType::kInt32:
    case TensorType::kInt64:
      return true;
    default:
      return false;
  }
}

bool IsSubByte(TensorType type) { return type == TensorType::kInt4 || type == TensorType::kInt2; }
bool IsActivation(TensorType type) { return type == TensorType::kInt8 || type == TensorType::kInt16; }

std::pair<int64_t, int64_t> ZeroPoints(TensorType type) {
  if (type == TensorType::kUint8) return {0, 255};
  if (type == TensorType::kInt8) return {-128, 127};
  if (type == TensorType::kInt4) return {-8, 7};
  if (type == TensorType::kInt2) return {-2, 1};
  return {0, 0};  // int16 and biases
}

bool Near(double a, double b) { return std::fabs(a - b) <= kRelative * std::max(std::fabs(a), std::fabs(b)); }

bool HasScale(const Tensor& tensor) { return IsInteger(tensor.type) && !tensor.quantization.scale.empty(); }
bool HasPlainScale(const Tensor& tensor) { return IsActivation(tensor.type) && tensor.quantization.scale.size() == 1; }

math::AffineParams ParamsOf(const Tensor& tensor) {
  return {.scale = tensor.quantization.scale[0], .zero_point = static_cast<int32_t>(tensor.quantization.zero_point[0])};
}

class Checker {
 public:
  explicit Checker(const Model& model) : model_(model) {}

  std::vector<Defect> Run() {
    for (size_t s = 0; s < model_.subgraphs.size(); ++s) {
      subgraph_ = SubgraphId(s);
      for (size_t t = 0; t < graph().tensors.size(); ++t) CheckTensor(TensorId(t));
      for (size_t i = 0; i < graph().ops.size(); ++i) CheckOperator(OpId(i));
    }
    CheckBuffers();
    CheckSignatures();
    return std::move(defects_);
  }

 private:
  const Subgraph& graph() const { return model_.subgraph(subgraph_); }
  // Null for an operand left out.
  const Tensor* Operand(const Op& op, size_t i) const {
    return op.input(i).valid() ? &graph().tensor(op.input(i)) : nullptr;
  }
  const Tensor* Result(const Op& op, size_t i = 0) const {
    return i < op.outputs.size() && op.outputs[i].valid() ? &graph().tensor(op.outputs[i]) : nullptr;
  }

  void Add(const char* rule, TensorId id, std::string text) {
    const Tensor& tensor = graph().tensor(id);
    defects_.push_back({rule, Where(subgraph_, id, tensor), std::move(text),
                        absl::StrFormat("%d '%s'", subgraph_.value, tensor.name)});
  }
  void Add(const char* rule, const Op& op, std::string text) {
    const Tensor* result = Result(op);
    defects_.push_back(
        {rule, Where(subgraph_, op_, op), std::move(text),
         absl::StrFormat("%d %s '%s'", subgraph_.value, OpKindName(op.kind), result == nullptr ? "" : result->name)});
  }

  void CheckTensor(TensorId id);
  void CheckOperator(OpId id);
  void CheckKernel(const Op& op);
  void CheckScales(const Op& op, const IntegerRule& rule);
  void CheckWeights(const Op& op, const WeightOperands& operands);
  void CheckWidths(const Op& op, const Tensor& data, const Tensor& weights);
  void CheckBias(const Op& op, const Tensor& data, const Tensor& weights, const Tensor& bias);
  void CheckBiasType(const Op& op, const Tensor& data, const Tensor& bias);
  void CheckMultipliers(const Op& op, const Tensor& data, const Tensor& weights);
  void CheckBuffers();
  void CheckSignatures();

  const Model& model_;
  SubgraphId subgraph_;
  OpId op_;
  std::vector<Defect> defects_;
};

void Checker::CheckTensor(TensorId id) {
  const Tensor& tensor = graph().tensor(id);
  if (!HasScale(tensor)) return;
  for (float scale : tensor.quantization.scale) {
    if (std::isnormal(scale) && scale > 0) continue;
    Add("scale", id, absl::StrFormat("its scale is %g; scales are normal and positive", scale));
    break;
  }
  const auto [lowest, highest] = ZeroPoints(tensor.type);
  for (int64_t zero_point : tensor.quantization.zero_point) {
    if (zero_point >= lowest && zero_point <= highest) continue;
    Add("zero-point", id,
        absl::StrFormat("its zero point is %d; %s takes %d to %d", zero_point, TensorTypeName(tensor.type), lowest,
                        highest));
    break;
  }
}

void Checker::CheckOperator(OpId id) {
  op_ = id;
  const Op& op = graph().ops[id.index()];
  const int32_t version_max = RuntimeVersionMax(op.kind);
  if (op.version < 1 || op.version > version_max) {
    Add("version", op, absl::StrFormat("its version is %d; the runtime knows 1 to %d", op.version, version_max));
  }
  CheckKernel(op);
  if (const IntegerRule* rule = FindIntegerRule(op.kind)) CheckScales(op, *rule);
  if (const std::optional<WeightOperands> operands = GetWeightOperands(op.kind)) CheckWeights(op, *operands);
}

// Kernels that are missing, or that accept what they compute wrongly.
void Checker::CheckKernel(const Op& op) {
  const bool converts = op.kind == OpKind::kDequantize || op.kind == OpKind::kDensify || op.kind == OpKind::kCast ||
                        op.kind == OpKind::kCustom || !ReferencedSubgraphs(op).empty();
  for (size_t i = 0; i < op.inputs.size() && !converts; ++i) {
    const Tensor* operand = Operand(op, i);
    // Computed float16 is a model's own; constants are what quantization makes.
    if (operand != nullptr && operand->type == TensorType::kFloat16 && model_.IsConstant(*operand)) {
      Add("float16", op, absl::StrFormat("operand %d is FLOAT16, which the kernel reads as FLOAT32", i));
    }
  }
  const IntegerRule* rule = FindIntegerRule(op.kind);
  const Tensor* result = Result(op);
  if (rule == nullptr || result == nullptr || !HasPlainScale(*result)) return;
  const IntegerKernel kernel = result->type == TensorType::kInt16 ? rule->int16 : rule->int8;
  if (kernel == IntegerKernel::kWrong || kernel == IntegerKernel::kNone) {
    Add("no-kernel", op,
        absl::StrFormat("its result is %s, for which the runtime has no kernel that is right",
                        TensorTypeName(result->type)));
  }
}

void Checker::CheckScales(const Op& op, const IntegerRule& rule) {
  const std::vector<size_t> data = DataOperands(rule, op);
  const Tensor* result = Result(op);
  if (result == nullptr || !HasPlainScale(*result)) return;
  if (rule.scale_class == ScaleClass::kFixedOutput) {
    const math::AffineParams fixed = result->type == TensorType::kInt16 ? rule.fixed16 : rule.fixed8;
    const math::AffineParams own = ParamsOf(*result);
    if (!Near(own.scale, fixed.scale) || own.zero_point != fixed.zero_point) {
      Add("fixed-scale", op,
          absl::StrFormat("its result has scale %g and zero point %d; %g and %d are fixed", own.scale, own.zero_point,
                          fixed.scale, fixed.zero_point));
    }
  }
  const auto expect_same = [&](const Tensor* a, const Tensor* b) {
    if (a == nullptr || b == nullptr || !HasPlainScale(*a) || !HasPlainScale(*b)) return;
    const math::AffineParams left = ParamsOf(*a), right = ParamsOf(*b);
    if (a->type == b->type && Near(left.scale, right.scale) && left.zero_point == right.zero_point) return;
    Add("same-scale", op,
        absl::StrFormat("'%s' has scale %g and zero point %d, '%s' %g and %d; they must be the same", a->name,
                        left.scale, left.zero_point, b->name, right.scale, right.zero_point));
  };
  if (rule.scale_class == ScaleClass::kSameAsInput && !data.empty()) {
    for (size_t i = 0; i < op.outputs.size(); ++i) expect_same(Operand(op, data[0]), Result(op, i));
  }
  if (rule.scale_class == ScaleClass::kSameAsOutput) {
    for (size_t operand : data) expect_same(Operand(op, operand), result);
  }
}

void Checker::CheckWeights(const Op& op, const WeightOperands& operands) {
  const Tensor *weights = Operand(op, operands.weights), *data = Operand(op, operands.data);
  const Tensor* result = Result(op);
  if (weights == nullptr || data == nullptr || result == nullptr) return;
  const bool narrow = weights->type == TensorType::kInt8 || IsSubByte(weights->type);
  if (!narrow) return;
  // A table looked up as int8 has the scale and zero point of an activation.
  if (op.kind == OpKind::kEmbeddingLookup && result->type != TensorType::kFloat32) return;
  for (int64_t zero_point : weights->quantization.zero_point) {
    if (zero_point == 0) continue;
    Add("symmetric", op, absl::StrFormat("its weights have zero point %d; the kernel takes it for 0", zero_point));
    break;
  }
  CheckWidths(op, *data, *weights);
  if (!IsActivation(data->type)) return;
  CheckMultipliers(op, *data, *weights);
  const Tensor* bias = operands.bias ? Operand(op, *operands.bias) : nullptr;
  if (bias != nullptr) {
    CheckBias(op, *data, *weights, *bias);
    CheckBiasType(op, *data, *bias);
  } else if (op.kind == OpKind::kConv2d || op.kind == OpKind::kDepthwiseConv2d) {
    Add("no-bias", op, "it has no bias, without which the integer kernel fails or crashes");
  }
}

// The combinations of section 2 that the runtime refuses or gets wrong.
void Checker::CheckWidths(const Op& op, const Tensor& data, const Tensor& weights) {
  const bool conv = op.kind == OpKind::kConv2d, depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const bool wrong_int2 = weights.type == TensorType::kInt2 && (conv || depthwise || op.kind == OpKind::kTransposeConv);
  const bool wrong_int4 = weights.type == TensorType::kInt4 &&
                          (op.kind == OpKind::kTransposeConv || (depthwise && data.type != TensorType::kInt8));
  if (wrong_int2 || wrong_int4) {
    Add("no-kernel", op,
        absl::StrFormat("%s weights with %s data: no kernel is right", TensorTypeName(weights.type),
                        TensorTypeName(data.type)));
  }
  const bool one_scale = weights.quantization.scale.size() == 1 && weights.shape.size() == 4 && weights.shape[3] > 1;
  if (depthwise && data.type == TensorType::kFloat32 && one_scale) {
    Add("depthwise-hybrid", op, "its weights have one scale; with float32 data the kernel needs one for each channel");
  }
}

void Checker::CheckBias(const Op& op, const Tensor& data, const Tensor& weights, const Tensor& bias) {
  const std::vector<float>&scales = bias.quantization.scale, &weight_scales = weights.quantization.scale;
  const bool has_scales = HasPlainScale(data) && !scales.empty() && !weight_scales.empty();
  for (size_t c = 0; has_scales && c < std::max(scales.size(), weight_scales.size()); ++c) {
    const double product = double{data.quantization.scale[0]} * weight_scales[weight_scales.size() == 1 ? 0 : c];
    const double scale = scales[scales.size() == 1 ? 0 : c];
    if ((scales.size() == 1 || c < scales.size()) && Near(scale, product)) continue;
    Add("bias-scale", op, absl::StrFormat("bias scale %d is %g, input scale * weight scale is %g", c, scale, product));
    break;
  }
  if (bias.type != TensorType::kInt32 || !model_.IsConstant(bias) || bias.sparsity != nullptr) return;
  for (int32_t value : model_.Int32Data(bias)) {
    if (std::abs(int64_t{value}) < std::numeric_limits<int32_t>::max()) continue;
    Add("bias-saturated", op, absl::StrFormat("its bias holds %d: the true value did not fit", value));
    break;
  }
}

void Checker::CheckBiasType(const Op& op, const Tensor& data, const Tensor& bias) {
  if (data.type != TensorType::kInt16 || bias.type != TensorType::kInt32) return;
  const std::optional<ConvOptions> options = GetConvOptions(op);
  const bool set = options && options->quantized_bias_type == TensorType::kInt32;
  if (op.kind == OpKind::kDepthwiseConv2d || (!set && op.kind != OpKind::kFullyConnected)) {
    Add("bias-type", op, "its bias is INT32 with INT16 data, which the kernel reads as INT64");
  }
}

void Checker::CheckMultipliers(const Op& op, const Tensor& data, const Tensor& weights) {
  const Tensor* result = Result(op);
  if (!HasPlainScale(data) || !HasPlainScale(*result)) return;
  for (float scale : weights.quantization.scale) {
    const double multiplier = double{data.quantization.scale[0]} * scale / result->quantization.scale[0];
    if (multiplier < kMultiplierMax) continue;
    Add("multiplier", op,
        absl::StrFormat("input scale * weight scale / output scale is %g; the kernel reaches %g", multiplier,
                        kMultiplierMax));
    break;
  }
}

void Checker::CheckBuffers() {
  std::map<BufferId, TensorType> types;
  for (size_t s = 0; s < model_.subgraphs.size(); ++s) {
    subgraph_ = SubgraphId(s);
    for (size_t t = 0; t < graph().tensors.size(); ++t) {
      const Tensor& tensor = graph().tensors[t];
      if (!model_.IsConstant(tensor)) continue;
      const auto [place, first] = types.try_emplace(tensor.buffer, tensor.type);
      if (first || place->second == tensor.type) continue;
      Add("shared-buffer", TensorId(t),
          absl::StrFormat("reads buffer %d as %s, another tensor as %s", tensor.buffer.value,
                          TensorTypeName(tensor.type), TensorTypeName(place->second)));
    }
  }
}

void Checker::CheckSignatures() {
  for (const Signature& signature : model_.signatures) {
    const Subgraph& subgraph = model_.subgraph(signature.subgraph);
    const auto check = [&](const std::vector<SignatureEntry>& entries, const std::vector<TensorId>& tensors) {
      for (const SignatureEntry& entry : entries) {
        if (std::find(tensors.begin(), tensors.end(), entry.tensor) != tensors.end()) continue;
        defects_.push_back({"signature", absl::StrFormat("signature '%s'", signature.key),
                            absl::StrFormat("'%s' is no input or output of its subgraph", entry.name),
                            absl::StrFormat("%s/%s", signature.key, entry.name)});
      }
    };
    check(signature.inputs, subgraph.inputs);
    check(signature.outputs, subgraph.outputs);
  }
}

}  // namespace

std::vector<Defect> FindDefects(const Model& model) { return Checker(model).Run(); }

absl::Status CheckArtifact(const Model& input, const Model& output, std::vector<std::string>& warnings) {
  const std::vector<Defect> defects = FindDefects(output);
  if (defects.empty()) return absl::OkStatus();
  std::set<std::pair<std::string, std::string>> known;
  for (const Defect& defect : FindDefects(input)) known.insert({defect.rule, defect.name});
  for (const Defect& defect : defects) {
    if (!known.contains({defect.rule, defect.name})) {
      return MakeError(absl::StatusCode::kInternal, "ARTIFACT_BROKEN",
                       absl::StrFormat("the result breaks rule %s (a defect in Lathe, please report it): %s: %s",
                                       defect.rule, defect.place, defect.text));
    }
    warnings.push_back(absl::StrFormat("kept as in the input file, where it breaks rule %s: %s: %s", defect.rule,
                                       defect.place, defect.text));
  }
  return absl::OkStatus();
}

}  // namespace lathe
