#include "optimizer/passes/integer_rules.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "optimizer/model/op_options.h"
#include "optimizer/passes/static_weights.h"

namespace lathe {
namespace {

constexpr math::AffineParams kUnit8 = {.scale = 1.0f / 256.0f, .zero_point = -128};
constexpr math::AffineParams kSigned8 = {.scale = 1.0f / 128.0f, .zero_point = 0};
constexpr math::AffineParams kUnit16 = {.scale = 1.0f / 32768.0f, .zero_point = 0};

IntegerRule Free(OpKind kind, std::vector<size_t> data = {0}) {
  return {.kind = kind, .scale_class = ScaleClass::kFree, .data = std::move(data)};
}
IntegerRule Weighted(OpKind kind, size_t data = 0) {
  IntegerRule rule = Free(kind, {data});
  rule.has_weights = true;
  rule.bias_required = kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d;
  return rule;
}
IntegerRule SameAsInput(OpKind kind, std::vector<size_t> data = {0}) {
  return {.kind = kind, .scale_class = ScaleClass::kSameAsInput, .data = std::move(data), .selects = true};
}
IntegerRule SameAsOutput(OpKind kind, std::vector<size_t> data) {
  return {.kind = kind, .scale_class = ScaleClass::kSameAsOutput, .data = std::move(data), .selects = true};
}
IntegerRule Fixed(OpKind kind, math::AffineParams fixed8, math::AffineParams fixed16) {
  return {.kind = kind, .scale_class = ScaleClass::kFixedOutput, .data = {0}, .fixed8 = fixed8, .fixed16 = fixed16};
}
IntegerRule NoOutput(OpKind kind, std::vector<size_t> data) {
  // The runtime has int16 kernels of the comparisons, but rescaling flips 7 of 100 results; in float none.
  IntegerRule rule = {.kind = kind, .scale_class = ScaleClass::kNoOutput, .data = std::move(data)};
  rule.int16 = rule.data.size() == 2 ? IntegerKernel::kCoarse : IntegerKernel::kNone;
  return rule;
}
IntegerRule Clamp(OpKind kind) {
  IntegerRule rule = Free(kind);
  rule.selects = true;
  return rule;
}
IntegerRule With(IntegerRule rule, IntegerKernel int8, IntegerKernel int16) {
  rule.int8 = int8;
  rule.int16 = int16;
  return rule;
}
IntegerRule Mixes(IntegerRule rule) {
  rule.selects = false;
  return rule;
}

std::vector<IntegerRule> MakeRules() {
  using enum IntegerKernel;
  std::vector<IntegerRule> rules = {
      Weighted(OpKind::kConv2d),
      Weighted(OpKind::kDepthwiseConv2d),
      Weighted(OpKind::kFullyConnected),
      Weighted(OpKind::kTransposeConv, 2),
      Free(OpKind::kBatchMatmul, {0, 1}),
      Free(OpKind::kAdd, {0, 1}),
      Free(OpKind::kSub, {0, 1}),
      Free(OpKind::kMul, {0, 1}),
      // Off by 100 quanta and more in int8; in int16 exact only for denominators far from 0.
      With(Free(OpKind::kDiv, {0, 1}), kWrong, kCoarse),
      With(Free(OpKind::kSquaredDifference, {0, 1}), kGood, kNone),
      Clamp(OpKind::kRelu),
      Clamp(OpKind::kRelu6),
      With(Clamp(OpKind::kReluN1To1), kGood, kNone),
      With(Clamp(OpKind::kRelu0To1), kGood, kNone),
      Free(OpKind::kLeakyRelu),
      // face_landmark with all 23 in int8: 13.7 ms, with float islands 1.5 ms (docs/decisions/0009). The int16 kernel
      // reads its operands as int8.
      With(Free(OpKind::kPrelu, {0, 1}), kSlow, kWrong),
      With(Free(OpKind::kElu), kGood, kNone),
      With(Free(OpKind::kHardSwish), kGood, kNone),
      Free(OpKind::kGelu),
      Free(OpKind::kAbs),
      // The int8 kernel ignores zero points; the int16 kernel gives -32768, which saturated sums have, back as it is.
      With(Free(OpKind::kNeg), kWrong, kWrong),
      // The int16 tables have 513 points: far off where the function is steep.
      With(Free(OpKind::kExp), kGood, kCoarse),
      With(Free(OpKind::kLog), kGood, kCoarse),
      Free(OpKind::kSqrt),
      With(Free(OpKind::kRsqrt), kGood, kCoarse),
      Fixed(OpKind::kLogistic, kUnit8, kUnit16),
      Fixed(OpKind::kTanh, kSigned8, kUnit16),
      Fixed(OpKind::kSoftmax, kUnit8, kUnit16),
      With(Fixed(OpKind::kLogSoftmax, {.scale = 16.0f / 256.0f, .zero_point = 127}, {}), kGood, kNone),
      With(Fixed(OpKind::kL2Normalization, kSigned8, {}), kGood, kNone),
      Mixes(SameAsInput(OpKind::kAveragePool2d)),
      SameAsInput(OpKind::kMaxPool2d),
      Free(OpKind::kMean),
      Free(OpKind::kSum),
      With(Free(OpKind::kReduceProd), kCoarse, kCoarse),  // 5.7 quanta
      SameAsInput(OpKind::kReduceMax),
      SameAsInput(OpKind::kReduceMin),
      SameAsInput(OpKind::kReshape),
      SameAsInput(OpKind::kSqueeze),
      SameAsInput(OpKind::kExpandDims),
      SameAsInput(OpKind::kTranspose),
      SameAsInput(OpKind::kSlice),
      SameAsInput(OpKind::kStridedSlice),
      SameAsInput(OpKind::kGather),
      SameAsInput(OpKind::kGatherNd),
      SameAsInput(OpKind::kTile),
      SameAsInput(OpKind::kReverseV2),
      SameAsInput(OpKind::kBroadcastTo),
      SameAsInput(OpKind::kPad),
      SameAsInput(OpKind::kMirrorPad),
      SameAsInput(OpKind::kUnpack),
      SameAsInput(OpKind::kSplit, {1}),
      SameAsInput(OpKind::kSplitV),
      With(SameAsInput(OpKind::kEmbeddingLookup, {1}), kGood, kNone),
      With(SameAsInput(OpKind::kSpaceToDepth), kGood, kNone),
      With(SameAsInput(OpKind::kDepthToSpace), kGood, kNone),
      SameAsInput(OpKind::kSpaceToBatchNd),
      SameAsInput(OpKind::kBatchToSpaceNd),
      Mixes(SameAsInput(OpKind::kResizeBilinear)),
      SameAsInput(OpKind::kResizeNearestNeighbor),
      // Not in XNNPACK, but as fast as a float island (edsr: 725 ms against 727) and 0.3 dB closer.
      SameAsOutput(OpKind::kMinimum, {0, 1}),
      SameAsOutput(OpKind::kMaximum, {0, 1}),
      SameAsOutput(OpKind::kConcatenation, {}),
      SameAsOutput(OpKind::kPack, {}),
      SameAsOutput(OpKind::kPadv2, {0, 2}),
      SameAsOutput(OpKind::kSelect, {1, 2}),
      SameAsOutput(OpKind::kSelectV2, {1, 2}),
      SameAsOutput(OpKind::kDynamicUpdateSlice, {0, 1}),
      NoOutput(OpKind::kArgMax, {0}),
      NoOutput(OpKind::kArgMin, {0}),
  };
  for (OpKind kind : {OpKind::kEqual, OpKind::kNotEqual, OpKind::kGreater, OpKind::kGreaterEqual, OpKind::kLess,
                      OpKind::kLessEqual}) {
    rules.push_back(NoOutput(kind, {0, 1}));
  }
  return rules;
}

std::string WhyNoRule(OpKind kind) {
  switch (kind) {
    case OpKind::kLstm:
    case OpKind::kUnidirectionalSequenceLstm:
    case OpKind::kBidirectionalSequenceLstm:
    case OpKind::kRnn:
    case OpKind::kUnidirectionalSequenceRnn:
    case OpKind::kBidirectionalSequenceRnn:
    case OpKind::kSvdf:
      return "its state would be rounded at every step: recurrent operators keep float activations, int8 weights";
    default:
      return "this version has no integer rule for the operator";
  }
}

std::string WhyNotKernel(const IntegerRule& rule, int bits, bool strict) {
  switch (bits == 16 ? rule.int16 : rule.int8) {
    case IntegerKernel::kGood:
      return "";
    case IntegerKernel::kSlow:
      if (strict) return "";
      return absl::StrFormat(
          "XNNPACK does not take the int%d kernel, which is slower than float with QUANTIZE and DEQUANTIZE around it",
          bits);
    case IntegerKernel::kCoarse:
      if (strict) return "";
      return absl::StrFormat("its int%d kernel errs by many quanta", bits);
    case IntegerKernel::kWrong:
      return absl::StrFormat("its int%d kernel computes wrong values", bits);
    case IntegerKernel::kNone:
      break;
  }
  return absl::StrFormat("it has no int%d kernel", bits);
}

std::string WhyNotActivation(const Model& model, const Tensor& tensor, bool is_result) {
  if (tensor.quantization.IsQuantized()) return "it is quantized already";
  if (tensor.type != TensorType::kFloat32)
    return absl::StrFormat("'%s' is %s", tensor.name, TensorTypeName(tensor.type));
  if (tensor.is_variable) return absl::StrFormat("'%s' is a variable", tensor.name);
  if (is_result && model.IsConstant(tensor)) return absl::StrFormat("'%s' is a constant", tensor.name);
  if (tensor.sparsity != nullptr) return absl::StrFormat("'%s' is sparse", tensor.name);
  if (model.IsConstant(tensor)) {
    const math::MinMax range = math::FindMinMax(model.FloatData(tensor));
    if (!std::isfinite(range.lo) || !std::isfinite(range.hi))
      return absl::StrFormat("'%s' holds values that are not finite", tensor.name);
  }
  return "";
}

// Restrictions that the quantized kernels have beside those on scales.
std::string WhyNotOptions(const Op& op) {
  const bool fuses = FusedActivation(op) != Activation::kNone;
  if (fuses && (op.kind == OpKind::kConcatenation || op.kind == OpKind::kL2Normalization)) {
    return "it has a fused activation, which its integer kernels do not compute";
  }
  return "";
}

}  // namespace

const IntegerRule* FindIntegerRule(OpKind kind) {
  static const auto& rules = *new std::vector<IntegerRule>(MakeRules());
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const IntegerRule& rule) { return rule.kind == kind; });
  return found == rules.end() ? nullptr : &*found;
}

std::vector<size_t> DataOperands(const IntegerRule& rule, const Op& op) {
  if (!rule.data.empty()) return rule.data;
  std::vector<size_t> all(op.inputs.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

int ActivationBits(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings) {
  const bool looks_up = op.kind == OpKind::kGather || op.kind == OpKind::kEmbeddingLookup;
  if (looks_up) {
    const TensorId table = op.input(FindIntegerRule(op.kind)->data[0]);
    if (table.valid() && model.IsConstant(subgraph.tensor(table))) return 8;
  }
  return settings.activations.bits.value_or(8);
}

bool IsStrict(const QuantizeSettings& settings) {
  return settings.require_full_integer.value_or(false) || settings.io_type.value_or("float32") != "float32";
}

const QuantizeSettings* FullIntegerSettings(const SettingsTable* table, const QuantizeSettings& settings,
                                            const Op& op) {
  if (table == nullptr) return &settings;
  const QuantizeSettings& own = table->For(SubgraphId(0), op);
  return own.scheme == Scheme::kFullInteger ? &own : nullptr;
}

std::string WhyNotInteger(const Model& model, const Subgraph& subgraph, const Op& op,
                          const QuantizeSettings& settings) {
  const IntegerRule* rule = FindIntegerRule(op.kind);
  if (rule == nullptr) return WhyNoRule(op.kind);
  if (std::string why = WhyNotKernel(*rule, ActivationBits(model, subgraph, op, settings), IsStrict(settings));
      !why.empty())
    return why;
  if (std::string why = WhyNotOptions(op); !why.empty()) return why;
  if (rule->has_weights) {
    if (std::string why = WhyNoStaticWeights(model, subgraph, op); !why.empty()) return why;
  }
  const std::vector<size_t> data = DataOperands(*rule, op);
  if (data.empty() || op.outputs.empty()) return "it lacks operands";
  for (size_t operand : data) {
    if (!op.input(operand).valid()) return "it lacks operands";
    if (std::string why = WhyNotActivation(model, subgraph.tensor(op.inputs[operand]), false); !why.empty()) return why;
  }
  if (rule->scale_class == ScaleClass::kNoOutput) return "";
  for (TensorId result : op.outputs) {
    if (!result.valid()) return "it lacks results";
    if (std::string why = WhyNotActivation(model, subgraph.tensor(result), true); !why.empty()) return why;
  }
  return "";
}

}  // namespace lathe
