#include "optimizer/passes/full_integer_pass.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/int8_parameters.h"
#include "optimizer/passes/int8_rules.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

Quantization PerTensor(math::AffineParams params) {
  Quantization quantization;
  quantization.scale = {params.scale};
  quantization.zero_point = {params.zero_point};
  return quantization;
}

template <typename T>
std::vector<uint8_t> AsBytes(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  return std::vector<uint8_t>(bytes, bytes + values.size() * sizeof(T));
}

// Carries out an Int8Plan on subgraph 0.
class Int8Rewriter {
 public:
  Int8Rewriter(Model& model, const Int8Plan& plan)
      : model_(model), plan_(plan), uses_(model.subgraphs[0]), editor_(model, SubgraphId(0)) {}

  absl::StatusOr<int64_t> Rewrite(const CancelToken& cancel) {
    int64_t count = 0;
    const size_t op_count = graph().ops.size();
    for (size_t i = 0; i < op_count; ++i) {
      LATHE_RETURN_IF_ERROR(cancel.Check());
      if (!plan_.is_int8[i]) continue;
      LATHE_RETURN_IF_ERROR(RewriteOp(OpId(i)));
      ++count;
    }
    editor_.Finish();
    return count;
  }

 private:
  using ParamsKey = std::tuple<TensorId, float, int32_t>;

  Subgraph& graph() { return model_.subgraphs[0]; }
  const math::AffineParams& params(TensorId id) const { return *plan_.params[id.index()]; }

  absl::Status RewriteOp(OpId id) {
    // A copy: adding tensors and operands below moves what it refers to.
    const Op op = graph().ops[id.index()];
    const Int8Rule& rule = *FindInt8Rule(op.kind);
    if (rule.has_weights) LATHE_RETURN_IF_ERROR(RewriteWeights(id, op, rule));
    for (size_t operand : rule.data) {
      editor_.SetInput(id, operand, Int8Form(op.inputs[operand], plan_.WantedBy(op, op.inputs[operand])));
    }
    editor_.SetOutput(id, 0, Int8Result(id, op.outputs[0]));
    editor_.SetVersion(id, MinimalVersion(graph(), graph().ops[id.index()]));
    return absl::OkStatus();
  }

  // The int8 tensor that an int8 operator writes instead of the float one. Where float operators or the user read the
  // tensor too, it stays and a DEQUANTIZE writes it, under its own name.
  TensorId Int8Result(OpId producer, TensorId result) {
    const auto& consumers = uses_.consumers(result);
    const bool read_as_float =
        uses_.IsSubgraphOutput(result) ||
        std::any_of(consumers.begin(), consumers.end(), [&](OpId op) { return !ReadsAsInt8(op, result); });
    TensorId int8 = result;
    if (read_as_float) {
      int8 = AddInt8Tensor(result, params(result));
      AddConversion(OpKind::kDequantize, int8, result, producer);
    } else {
      editor_.Retype(result, TensorType::kInt8, PerTensor(params(result)));
    }
    forms_[Key(result, params(result))] = int8;
    return int8;
  }

  // True when the operator reads the tensor as an activation in int8. (Weights and biases are constants.)
  bool ReadsAsInt8(OpId op, TensorId) const { return plan_.is_int8[op.index()]; }

  // The tensor's int8 form with these parameters: what its producer writes, a quantized constant, or the result of a
  // QUANTIZE right after it is made; each is made once.
  TensorId Int8Form(TensorId id, math::AffineParams wanted) {
    if (auto found = forms_.find(Key(id, wanted)); found != forms_.end()) return found->second;
    const OpId producer = uses_.producer(id);
    TensorId int8 = AddInt8Tensor(id, wanted);
    if (model_.IsConstant(graph().tensor(id))) {
      const absl::Span<const float> values = model_.FloatData(graph().tensor(id));
      std::vector<uint8_t> data(values.size());
      math::QuantizeInt8(values, wanted, absl::MakeSpan(reinterpret_cast<int8_t*>(data.data()), data.size()));
      editor_.SetData(int8, std::move(data));
    } else {
      const bool produced_in_int8 = producer.valid() && plan_.is_int8[producer.index()];
      const TensorId from = produced_in_int8 ? forms_.at(Key(id, params(id))) : id;
      AddConversion(OpKind::kQuantize, from, int8, producer);
    }
    return forms_[Key(id, wanted)] = int8;
  }

  TensorId AddInt8Tensor(TensorId like, math::AffineParams with) {
    Tensor tensor = graph().tensor(like);
    tensor.name += "_int8";
    tensor.type = TensorType::kInt8;
    tensor.buffer = BufferId(0);
    tensor.quantization = PerTensor(with);
    return editor_.AddTensor(std::move(tensor));
  }

  // QUANTIZE or DEQUANTIZE right after the producer; first of all for the subgraph's inputs.
  void AddConversion(OpKind kind, TensorId from, TensorId to, OpId producer) {
    Op op;
    op.kind = kind;
    op.inputs = {from};
    op.outputs = {to};
    op.version = kind == OpKind::kQuantize ? 1 : 2;  // per-tensor int8; the input may be retyped only later
    if (producer.valid()) {
      editor_.InsertAfter(producer, std::move(op));
    } else {
      editor_.InsertFirst(std::move(op));
    }
  }

  absl::Status RewriteWeights(OpId id, const Op& op, const Int8Rule& rule) {
    const WeightOperands operands = *GetWeightOperands(op.kind);
    const TensorId weights_id = op.inputs[operands.weights];
    const Tensor weights = graph().tensor(weights_id);
    const math::ChannelLayout layout = LayoutAlong(weights, operands.axis);
    const auto channels = static_cast<size_t>(layout.channels);
    const absl::Span<const float> values = model_.FloatData(weights);

    Quantization quantization;
    quantization.quantized_dimension = operands.axis;
    quantization.scale.resize(channels);
    quantization.zero_point.assign(channels, 0);
    if (absl::Status status = math::ChooseWeightScales(values, layout, absl::MakeSpan(quantization.scale));
        !status.ok()) {
      return Annotate(status, Where(SubgraphId(0), weights_id, weights));
    }
    const float input_scale = plan_.WantedBy(op, op.inputs[operands.data]).scale;
    LATHE_RETURN_IF_ERROR(RewriteBias(id, op, rule, *operands.bias, input_scale, quantization.scale));

    const auto key = std::make_pair(weights_id, quantization.scale);
    auto found = weights_.find(key);
    if (found == weights_.end()) {
      std::vector<uint8_t> data(values.size());
      math::QuantizeWeights(values, layout, quantization.scale,
                            absl::MakeSpan(reinterpret_cast<int8_t*>(data.data()), data.size()));
      Tensor int8 = weights;
      int8.type = TensorType::kInt8;
      int8.quantization = std::move(quantization);
      int8.buffer = editor_.AddBuffer(std::move(data));
      found = weights_.emplace(key, editor_.AddTensor(std::move(int8))).first;
    }
    editor_.SetInput(id, operands.weights, found->second);
    return absl::OkStatus();
  }

  // Raises entries of weight_scales where the bias asks for it, so it comes before the weights are quantized.
  absl::Status RewriteBias(OpId id, const Op& op, const Int8Rule& rule, size_t operand, float input_scale,
                           std::vector<float>& weight_scales) {
    const TensorId bias_id = op.input(operand);
    const bool has_bias = bias_id.valid();
    absl::Span<const float> values;
    if (has_bias) {
      const Tensor& bias = graph().tensor(bias_id);
      values = model_.FloatData(bias);
      const math::MinMax range = math::FindMinMax(values);
      if (values.size() != weight_scales.size() || !std::isfinite(range.lo) || !std::isfinite(range.hi)) {
        return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                         absl::StrFormat("%s: a bias must hold %d finite values", Where(SubgraphId(0), bias_id, bias),
                                         weight_scales.size()));
      }
    }
    std::vector<int32_t> quantized(weight_scales.size());
    math::QuantizeBias(values, input_scale, params(op.outputs[0]).scale, absl::MakeSpan(weight_scales),
                       absl::MakeSpan(quantized));
    if (!has_bias && !rule.bias_required) return absl::OkStatus();

    Tensor bias;
    bias.name = has_bias ? graph().tensor(bias_id).name : graph().tensor(op.outputs[0]).name + "_bias";
    bias.type = TensorType::kInt32;
    bias.shape = {static_cast<int32_t>(quantized.size())};
    for (float scale : weight_scales) bias.quantization.scale.push_back(input_scale * scale);
    bias.quantization.zero_point.assign(quantized.size(), 0);
    bias.buffer = editor_.AddBuffer(AsBytes(quantized));
    editor_.PadInputs(id, operand + 1);
    editor_.SetInput(id, operand, editor_.AddTensor(std::move(bias)));
    return absl::OkStatus();
  }

  static ParamsKey Key(TensorId id, math::AffineParams with) { return {id, with.scale, with.zero_point}; }

  Model& model_;
  const Int8Plan& plan_;
  const UseMap uses_;
  GraphEditor editor_;
  std::map<ParamsKey, TensorId> forms_;
  std::map<std::pair<TensorId, std::vector<float>>, TensorId> weights_;
};

bool TouchesFloatActivation(const Model& model, const Op& op) {
  const Subgraph& graph = model.subgraphs[0];
  const auto is_float = [&](TensorId id) {
    return id.valid() && graph.tensor(id).type == TensorType::kFloat32 && !model.IsConstant(graph.tensor(id));
  };
  return std::any_of(op.inputs.begin(), op.inputs.end(), is_float) ||
         std::any_of(op.outputs.begin(), op.outputs.end(), is_float);
}

// The first operator that would stay float although the settings forbid it: every one under require_full_integer;
// without allow_float_fallback those that cannot be int8, not those that are faster in float.
absl::Status CheckFallback(const Model& model, const Int8Plan& plan, const QuantizeSettings& settings) {
  const bool strict = settings.require_full_integer.value_or(false);
  if (!strict && settings.allow_float_fallback.value_or(true)) return absl::OkStatus();
  const Subgraph& graph = model.subgraphs[0];
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const bool converts = op.kind == OpKind::kQuantize || op.kind == OpKind::kDequantize;
    if (plan.is_int8[i] || converts || !TouchesFloatActivation(model, op)) continue;
    const Int8Rule* rule = FindInt8Rule(op.kind);
    if (rule != nullptr && !rule->pays && !strict) continue;
    const std::string why = WhyNotInt8(model, graph, op, settings);
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "FLOAT_FALLBACK",
        absl::StrFormat("%s cannot be int8: %s; allow float fallback (quantize.%s) or choose another preset",
                        Where(SubgraphId(0), OpId(i), op),
                        why.empty() ? "its activations were not observed while calibrating" : why,
                        strict ? "require_full_integer: false" : "allow_float_fallback: true"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Change> FullIntegerPass::Edit(Model& model, PassContext& context) const {
  Int8Plan plan = PlanInt8(model, *context.ranges, settings_);
  LATHE_RETURN_IF_ERROR(CheckFallback(model, plan, settings_));
  Change change;
  change.warnings = std::move(plan.warnings);
  LATHE_ASSIGN_OR_RETURN(change.count, Int8Rewriter(model, plan).Rewrite(context.cancel));
  return change;
}

}  // namespace lathe
