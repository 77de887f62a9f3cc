#include "optimizer/passes/weight_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "optimizer/math/packing.h"
#include "optimizer/math/quantize.h"
#include "optimizer/math/weight_error.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

using Place = IntegerConstant::Place;

// What the file pays besides scales and zero points: QuantizationParameters' table and vectors, and for a DEQUANTIZE
// also the operator, its tensor and its name.
constexpr int64_t kTableBytes = 64, kDequantizeBytes = 250;
// Constants of element-wise operators below this are not worth a DEQUANTIZE in every reader's graph.
constexpr int64_t kElementsMin = 1024;
// A table keeps at least this much of what distinguishes its entries, or gets a finer form. Tables of trained models
// keep 33 to 42 dB with one int8 scale.
constexpr double kDetailDbMin = 30;

// The settings with their defaults.
struct Asked {
  explicit Asked(const QuantizeSettings& settings)
      : weight_only(settings.scheme == Scheme::kWeightOnly),
        bits(settings.weights.bits.value_or(8)),
        block_size(settings.weights.block_size.value_or(32)),
        min_error(settings.weights.algorithm.value_or("min-error") == "min-error") {
    const std::string name = settings.weights.granularity.value_or("channel");
    if (name == "tensor") granularity = ScaleGranularity::kTensor;
    if (name == "block") granularity = ScaleGranularity::kBlock;
  }
  bool weight_only;
  int bits;
  ScaleGranularity granularity = ScaleGranularity::kChannel;
  int32_t block_size;
  bool min_error;
};

WeightPlan Stays(std::string reason) { return {.constants = {}, .reason = std::move(reason)}; }

void AddReason(WeightPlan& plan, std::string reason) {
  if (!plan.reason.empty()) plan.reason += "; ";
  plan.reason += std::move(reason);
}

int64_t BytesAs(const Tensor& tensor, const IntegerConstant& form) {
  const int64_t elements = tensor.NumElements();
  int64_t scales = PerChannelBytes(1);
  if (form.granularity == ScaleGranularity::kChannel) {
    scales = PerChannelBytes(tensor.shape[static_cast<size_t>(form.axis)]);
  }
  if (form.granularity == ScaleGranularity::kBlock) scales = elements / form.block_size * int64_t{sizeof(uint16_t)};
  return static_cast<int64_t>(math::PackedBytes(static_cast<size_t>(elements), form.bits)) + scales + kTableBytes +
         (form.place == Place::kOnOperator ? 0 : kDequantizeBytes);
}

bool WinsBytes(const Tensor& tensor, const IntegerConstant& form) {
  return BytesAs(tensor, form) < tensor.NumElements() * int64_t{sizeof(float)};
}

// Whether the runtime computes rightly, and not slower than in float for want of a delegate, with weights of this
// width.
bool HasKernel(OpKind kind, Place place, int bits) {
  if (bits == 8) return true;
  // A filter of few taps does not average out the error of int4, and XNNPACK folds int8 only.
  if (kind == OpKind::kDepthwiseConv2d) return false;
  if (place == Place::kBehindDequantize) return true;
  switch (kind) {
    case OpKind::kFullyConnected:
    case OpKind::kEmbeddingLookup:
      return true;
    case OpKind::kConv2d:
      return bits == 4;  // int2 is accepted and gives NaN
    default:
      return false;
  }
}

bool HasBlockwiseKernel(OpKind kind, Place place, int bits) {
  return (kind == OpKind::kFullyConnected || kind == OpKind::kEmbeddingLookup) && place == Place::kOnOperator &&
         bits == 4;
}

// The narrowest form of weights that the operator's kernels take and that is at least as wide as asked.
IntegerConstant NearestForm(OpKind kind, const Tensor& weights, const Asked& asked, IntegerConstant form,
                            WeightPlan& plan) {
  form.bits = asked.bits;
  while (!HasKernel(kind, form.place, form.bits)) form.bits *= 2;
  if (form.bits != asked.bits) {
    AddReason(plan, absl::StrFormat("no int%d kernel that is right and fast: int%d weights", asked.bits, form.bits));
  }
  form.min_error = asked.min_error;
  form.granularity = asked.granularity;
  if (asked.granularity != ScaleGranularity::kBlock) return form;
  if (!HasBlockwiseKernel(kind, form.place, form.bits)) {
    form.granularity = ScaleGranularity::kChannel;
    AddReason(plan, "no blockwise kernel: a scale for each channel");
  } else if (weights.shape[1] % asked.block_size != 0) {
    form.granularity = ScaleGranularity::kChannel;
    AddReason(plan, absl::StrFormat("its %d columns are no multiple of %d: a scale for each channel", weights.shape[1],
                                    asked.block_size));
  } else {
    form.block_size = asked.block_size;
  }
  return form;
}

// Layers of at most so many weights keep int8 where fewer bits are asked for: the smallest ones that together hold no
// more than a twenty-fourth of the subgraph's weights. First and last layers are among them, where narrow weights cost
// most and save least: sp_lstm asked for int4 has a word error rate of 35.6 % with, 38.4 % without (float 35.8 %).
int64_t SmallLayerMax(const Subgraph& subgraph, const Asked& asked) {
  constexpr int64_t kShare = 24;
  std::set<TensorId> seen;
  std::vector<int64_t> sizes;
  int64_t total = 0;
  for (const Op& op : subgraph.ops) {
    std::vector<size_t> operands = RecurrentWeightOperands(op);
    const std::optional<WeightOperands> weights = GetWeightOperands(op.kind);
    if (weights && op.input(weights->weights).valid()) operands = {weights->weights};
    for (size_t operand : operands) {
      if (!seen.insert(op.inputs[operand]).second) continue;
      const int64_t elements = subgraph.tensor(op.inputs[operand]).NumElements();
      total += elements;
      const Place place = asked.weight_only ? Place::kBehindDequantize : Place::kOnOperator;
      if (weights && HasKernel(op.kind, place, 4)) sizes.push_back(elements);
    }
  }
  std::sort(sizes.begin(), sizes.end());
  int64_t largest = 0, taken = 0;
  for (size_t i = 0, next = 0; i < sizes.size(); i = next) {
    while (next < sizes.size() && sizes[next] == sizes[i]) taken += sizes[next++];  // equal ones share their fate
    if (taken * kShare > total) break;
    largest = sizes[i];
  }
  return largest;
}

// The form of the weights of an operator that GetWeightOperands knows; reasons go to `plan`.
IntegerConstant FormOfWeights(const Subgraph& subgraph, const Op& op, const Asked& asked, WeightPlan& plan) {
  const WeightOperands operands = *GetWeightOperands(op.kind);
  IntegerConstant form{.operand = operands.weights, .axis = operands.axis};
  if (op.kind == OpKind::kEmbeddingLookup) {
    // Looks rows up and makes them float in one step, whatever the scheme.
  } else if (asked.weight_only) {
    form.place = Place::kBehindDequantize;
  } else if (op.kind == OpKind::kDepthwiseConv2d) {
    // docs/decisions/0012-depthwise-in-dynamic-range.md
    form.place = Place::kBehindDequantize;
    AddReason(plan, "XNNPACK does not take the dynamic-range kernel, which is slower than float");
  }
  const Tensor& weights = subgraph.tensor(op.inputs[operands.weights]);
  Asked own = asked;
  if (asked.bits < 8 && HasKernel(op.kind, form.place, 4) && weights.NumElements() <= SmallLayerMax(subgraph, asked)) {
    own.bits = 8;
    if (own.granularity == ScaleGranularity::kBlock) own.granularity = ScaleGranularity::kChannel;
    AddReason(plan, "one of the smallest layers, where fewer bits save little and cost most: int8 weights");
  }
  return NearestForm(op.kind, weights, own, form, plan);
}

WeightPlan PlanKernelWeights(const Model& model, const Subgraph& subgraph, const Op& op, const Asked& asked) {
  if (std::string why = WhyNoIntegerWeights(model, subgraph, op); !why.empty()) return Stays(std::move(why));
  WeightPlan plan;
  const IntegerConstant form = FormOfWeights(subgraph, op, asked, plan);
  const Tensor& weights = subgraph.tensor(op.inputs[form.operand]);
  if (!WinsBytes(weights, form)) return Stays("its weights are too small to save bytes");
  if (!asked.weight_only && asked.bits == 8 && AreFewWeights(subgraph, weights)) {
    return Stays("few weights, which cost the most accuracy and save half a percent of the file at most");
  }
  plan.constants.push_back(form);
  return plan;
}

// The built-in hybrid kernel reads the scales of the left operand's rows wrongly when it repeats the right operand for
// several batches (15 to 18 dB; XNNPACK's is right), so both must have the same ones.
bool SameBatches(const Tensor& left, const Tensor& right) {
  const auto batches = [](const Tensor& tensor) {
    int64_t product = 1;
    for (size_t i = 0; i + 2 < tensor.shape.size(); ++i) product *= tensor.shape[i];
    return product;
  };
  return !left.HasDynamicShape() && batches(left) == batches(right);
}

// The same for BATCH_MATMUL. REQUIRES: its right operand is a matrix, its options are there.
IntegerConstant FormOfRightOperand(const Subgraph& subgraph, const Op& op, const Asked& asked, WeightPlan& plan) {
  const BatchMatmulOptions options = *GetBatchMatmulOptions(op);
  const Tensor &left = subgraph.tensor(op.inputs[0]), &right = subgraph.tensor(op.inputs[1]);
  IntegerConstant form{.operand = 1, .axis = static_cast<int32_t>(right.shape.size()) - (options.adj_y ? 2 : 1)};
  if (asked.weight_only) {
    form.place = Place::kBehindDequantize;
  } else if (options.adj_x || !SameBatches(left, right)) {
    form.place = Place::kBehindDequantize;
    AddReason(plan, "the runtime's dynamic-range kernel is wrong for these shapes");
  }
  return NearestForm(op.kind, right, asked, form, plan);
}

WeightPlan PlanBatchMatmul(const Model& model, const Subgraph& subgraph, const Op& op, const Asked& asked) {
  const Tensor &left = subgraph.tensor(op.inputs[0]), &right = subgraph.tensor(op.inputs[1]);
  if (!GetBatchMatmulOptions(op) || !IsDenseFloatConstant(model, right) || right.quantization.IsQuantized()) {
    return Stays("its right operand is not a dense float32 constant");
  }
  if (right.shape.size() < 2 || right.NumElements() == 0) return Stays("its right operand is no matrix");
  if (left.type != TensorType::kFloat32 || model.IsConstant(left)) return Stays("its left operand is not float32 data");
  WeightPlan plan;
  const IntegerConstant form = FormOfRightOperand(subgraph, op, asked, plan);
  if (!WinsBytes(right, form)) return Stays("its weights are too small to save bytes");
  plan.constants.push_back(form);
  return plan;
}

std::string RecurrentWidthReason(const Asked& asked) {
  if (asked.weight_only) return "errors of recurrent weights add up over the steps: int8 weights";
  return absl::StrFormat("no int%d kernel: int8 weights", asked.bits);
}

WeightPlan PlanRecurrent(const Model& model, const Subgraph& subgraph, const Op& op, const Asked& asked) {
  const std::vector<size_t> operands = RecurrentWeightOperands(op);
  if (operands.empty()) return Stays("its kernel has no integer weights");
  if (subgraph.tensor(op.inputs[0]).type != TensorType::kFloat32 || op.outputs.empty() ||
      subgraph.tensor(op.outputs[0]).type != TensorType::kFloat32) {
    return Stays("its input or output is not float32");
  }
  WeightPlan plan;
  int64_t saved = 0;
  for (size_t operand : operands) {
    const Tensor& weights = subgraph.tensor(op.inputs[operand]);
    if (weights.quantization.IsQuantized()) return Stays("its weights are already quantized");
    // The kernel wants all of one type.
    if (!IsDenseFloatConstant(model, weights)) return Stays("not all of its weights are dense float32 constants");
    IntegerConstant form{.operand = operand, .granularity = ScaleGranularity::kTensor};
    if (asked.weight_only) {
      form.place = Place::kBehindDequantize;
      if (asked.granularity != ScaleGranularity::kTensor) form.granularity = ScaleGranularity::kChannel;
      if (!WinsBytes(weights, form)) continue;  // peepholes
    }
    saved += weights.NumElements() * int64_t{sizeof(float)} - BytesAs(weights, form);
    plan.constants.push_back(form);
  }
  if (saved <= 0) return Stays("its weights are too small to save bytes");
  if (asked.bits != 8) AddReason(plan, RecurrentWidthReason(asked));
  return plan;
}

// The integer form that an operator with weights gives the very constant `buffer`, to be shared by the table's readers.
std::optional<IntegerConstant> FormOfSharedWeights(const Model& model, const Subgraph& subgraph, BufferId buffer,
                                                   const QuantizeSettings& settings) {
  for (const Op& op : subgraph.ops) {
    const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
    if (!operands || !op.input(operands->weights).valid()) continue;
    if (subgraph.tensor(op.inputs[operands->weights]).buffer != buffer) continue;
    const WeightPlan plan = PlanWeights(model, subgraph, op, settings);
    if (!plan.constants.empty() && plan.constants[0].granularity != ScaleGranularity::kBlock) return plan.constants[0];
  }
  return std::nullopt;
}

float TensorStep(absl::Span<const float> values) {
  const math::MinMax range = math::FindMinMax(values);
  return math::ChooseInt8Params(range.lo, range.hi).scale;
}

bool IsFinite(absl::Span<const float> values) {
  const math::MinMax range = math::FindMinMax(values);
  return std::isfinite(range.lo) && std::isfinite(range.hi);
}

WeightPlan PlanTable(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings,
                     const Asked& asked) {
  const Tensor& table = subgraph.tensor(op.inputs[0]);
  if (!IsDenseFloatConstant(model, table)) return Stays("its table is not a dense float32 constant");
  if (table.quantization.IsQuantized()) return Stays("its table is already quantized");
  if (table.shape.empty() || table.NumElements() == 0) return Stays("its table is empty");
  const IntegerConstant whole{
      .operand = 0, .place = Place::kBeforeDequantize, .granularity = ScaleGranularity::kTensor, .asymmetric = true};
  IntegerConstant rows{.operand = 0, .place = Place::kBehindDequantize, .min_error = asked.min_error};
  const auto plan = [](const IntegerConstant& form) { return WeightPlan{.constants = {form}, .reason = ""}; };
  if (!WinsBytes(table, whole)) return Stays("its table is too small to save bytes");
  const absl::Span<const float> values = model.FloatData(table);
  if (!IsFinite(values)) return plan(whole);  // storing it reports the place
  if (const auto shared = FormOfSharedWeights(model, subgraph, table.buffer, settings)) {
    IntegerConstant same = *shared;
    same.operand = 0;
    same.place = Place::kBehindDequantize;
    return plan(same);
  }
  rows.bits = asked.bits;
  if (asked.bits < 8 && BytesAs(table, rows) * 4 < BytesAs(table, whole) * 3) return plan(rows);
  rows.bits = 8;
  const auto row = static_cast<size_t>(table.shape.size() > 1 ? table.NumElements() / table.shape[0] : 1);
  const size_t detail = row > 1 ? row : values.size();
  const float step = TensorStep(values);
  if (math::DetailSqnrDb(values, detail, {&step, 1}) >= kDetailDbMin) return plan(whole);
  std::vector<float> steps(static_cast<size_t>(table.shape[0]));
  static_cast<void>(math::ChooseWeightScales(values, LayoutAlong(table, 0), absl::MakeSpan(steps)));
  if (row > 1 && WinsBytes(table, rows) && math::DetailSqnrDb(values, row, steps) >= kDetailDbMin) return plan(rows);
  return Stays("int8 would lose what distinguishes the entries of its table");
}

WeightPlan PlanElementwise(const Model& model, const Subgraph& subgraph, const Op& op,
                           const QuantizeSettings& settings) {
  for (size_t operand = 0; operand < 2; ++operand) {
    const Tensor &constant = subgraph.tensor(op.inputs[operand]), &other = subgraph.tensor(op.inputs[1 - operand]);
    if (!IsDenseFloatConstant(model, constant) || model.IsConstant(other)) continue;
    if (constant.quantization.IsQuantized() || constant.shape.size() < 2 || constant.NumElements() < kElementsMin) {
      continue;
    }
    IntegerConstant form{.operand = operand,
                         .place = Place::kBehindDequantize,
                         .granularity = ScaleGranularity::kTensor,
                         .asymmetric = true};
    if (auto shared = FormOfSharedWeights(model, subgraph, constant.buffer, settings)) {
      form = *shared;
      form.operand = operand;
      form.place = Place::kBehindDequantize;
    }
    const absl::Span<const float> values = model.FloatData(constant);
    const float step = TensorStep(values);
    const auto last = static_cast<size_t>(constant.shape.back());
    const bool keeps =
        IsFinite(values) && math::DetailSqnrDb(values, last > 1 ? last : values.size(), {&step, 1}) >= kDetailDbMin;
    if (!keeps) return Stays("int8 would lose what distinguishes the entries of its constant");
    return {.constants = {form}, .reason = ""};
  }
  return Stays("it has no large constant");
}

}  // namespace

bool AreFewWeights(const Subgraph& subgraph, const Tensor& weights) {
  // The number of the TensorFlow converter (tensorflow/lite/tools/optimize/quantize_weights.h).
  constexpr int64_t kElementsEnd = 1024;
  // Four bytes in place of one make a file half a percent larger.
  constexpr int64_t kShare = 600;
  if (weights.NumElements() >= kElementsEnd) return false;
  std::set<TensorId> seen;
  int64_t few = 0, total = 0;
  for (const Op& op : subgraph.ops) {
    const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
    if (!operands || !op.input(operands->weights).valid() || !seen.insert(op.inputs[operands->weights]).second)
      continue;
    const int64_t elements = subgraph.tensor(op.inputs[operands->weights]).NumElements();
    total += elements;
    if (elements < kElementsEnd) few += elements;
  }
  return few * kShare <= total;
}

std::vector<size_t> RecurrentWeightOperands(const Op& op) {
  std::vector<size_t> operands;
  switch (op.kind) {
    case OpKind::kLstm:
    case OpKind::kUnidirectionalSequenceLstm:
      if (!HasFullLstmKernel(op)) return {};
      operands = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16};  // gates, recurrent gates, peepholes, projection
      break;
    case OpKind::kRnn:
    case OpKind::kUnidirectionalSequenceRnn:
    case OpKind::kSvdf:
      operands = {1, 2};
      break;
    default:
      return {};
  }
  std::erase_if(operands, [&](size_t operand) { return !op.input(operand).valid(); });
  return operands;
}

std::string WhyOtherForm(const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings) {
  const Asked asked(settings);
  WeightPlan plan;
  if (const std::optional<WeightOperands> operands = GetWeightOperands(op.kind)) {
    if (op.input(operands->weights).valid()) FormOfWeights(subgraph, op, asked, plan);
  } else if (op.kind == OpKind::kBatchMatmul) {
    const bool matrix = op.input(1).valid() && subgraph.tensor(op.inputs[1]).shape.size() >= 2;
    if (matrix && GetBatchMatmulOptions(op)) FormOfRightOperand(subgraph, op, asked, plan);
  } else if (!RecurrentWeightOperands(op).empty() && asked.bits != 8) {
    plan.reason = RecurrentWidthReason(asked);
  }
  return plan.reason;
}

WeightPlan PlanWeights(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings) {
  const Asked asked(settings);
  if (op.outputs.empty() || !op.input(0).valid()) return Stays("it lacks operands");
  const bool pair = op.inputs.size() >= 2 && op.input(1).valid();
  switch (op.kind) {
    case OpKind::kBatchMatmul:
      return pair ? PlanBatchMatmul(model, subgraph, op, asked) : Stays("it lacks operands");
    case OpKind::kLstm:
    case OpKind::kUnidirectionalSequenceLstm:
    case OpKind::kRnn:
    case OpKind::kUnidirectionalSequenceRnn:
    case OpKind::kSvdf:
      return PlanRecurrent(model, subgraph, op, asked);
    case OpKind::kGather:
      return PlanTable(model, subgraph, op, settings, asked);
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
      return pair ? PlanElementwise(model, subgraph, op, settings) : Stays("it lacks operands");
    default:
      return PlanKernelWeights(model, subgraph, op, asked);
  }
}

}  // namespace lathe
