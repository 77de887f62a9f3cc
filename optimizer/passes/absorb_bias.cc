#include "optimizer/passes/absorb_bias.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/channel_rules.h"
#include "optimizer/passes/constant_writer.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// A tensor that does not get narrower than this share is left as it is.
constexpr float kNarrowerMax = 0.95f;

using Shift = std::vector<float>;  // by channel; empty: none

bool IsZero(const Shift& shift) {
  return std::all_of(shift.begin(), shift.end(), [](float value) { return value == 0; });
}

// Operators that give back a constant that is added to every value of a channel.
bool PassesShift(const Model& model, const Op& op) {
  switch (op.kind) {
    case OpKind::kMaxPool2d:
    case OpKind::kAveragePool2d:  // padding counts in neither
      return FusedActivation(op) == Activation::kNone;
    case OpKind::kMean:
    case OpKind::kReduceMax:
    case OpKind::kReduceMin:
      return ReducesOtherAxesOnly(model, op);
    case OpKind::kTranspose:
      return KeepsLastAxisInPlace(model, op);
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
    case OpKind::kResizeBilinear:
    case OpKind::kResizeNearestNeighbor:
      return true;
    default:
      return false;
  }
}

bool IsShape(OpKind kind) {
  return kind == OpKind::kReshape || kind == OpKind::kSqueeze || kind == OpKind::kExpandDims;
}

bool IsSum(const Op& op) {
  return (op.kind == OpKind::kAdd || op.kind == OpKind::kSub) && op.inputs.size() == 2 &&
         FusedActivation(op) == Activation::kNone;
}

// Every window lies inside of the data, so a constant input is the same constant in each.
bool NeverMeetsPadding(const Model& model, const Op& op) {
  if (op.kind == OpKind::kFullyConnected) return true;
  if (op.kind != OpKind::kConv2d && op.kind != OpKind::kDepthwiseConv2d) return false;
  const std::optional<ConvOptions> options = GetConvOptions(op);
  const std::vector<int32_t>& shape = model.subgraphs[0].tensor(op.inputs[1]).shape;
  return options && (!options->same_padding || (shape[1] == 1 && shape[2] == 1));
}

class BiasAbsorber {
 public:
  BiasAbsorber(Model& model, const ActivationStats& stats)
      : model_(model), stats_(stats), uses_(model.subgraphs[0]), shifts_(model.subgraphs[0].tensors.size()) {}

  BiasAbsorption Run() {
    FindLayers();
    FindFree();
    for (size_t i = 0; i < graph().ops.size(); ++i) Follow(i);
    return Apply();
  }

 private:
  struct Layer {
    math::WeightGrid grid;
    TensorId weights, bias, data;
    size_t bias_operand = 0;
  };

  const Subgraph& graph() const { return model_.subgraphs[0]; }
  size_t Channels(TensorId id) const {
    const Tensor& tensor = graph().tensor(id);
    if (tensor.shape.empty() || tensor.shape.back() < 1) return 0;
    if (!tensor.shape_signature.empty() && tensor.shape_signature.back() < 1) return 0;
    return static_cast<size_t>(tensor.shape.back());
  }

  void FindLayers() {
    layers_.resize(graph().ops.size());
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Op& op = graph().ops[i];
      const std::optional<math::WeightGrid> grid = FindWeightGrid(model_, op);
      if (!grid || op.outputs.size() != 1) continue;
      const WeightOperands operands = *GetWeightOperands(op.kind);
      const TensorId bias = op.input(*operands.bias);
      if (!IsUsableConstant(model_, bias) || graph().tensor(bias).NumElements() != grid->rows) continue;
      if (Channels(op.outputs[0]) != static_cast<size_t>(grid->rows)) continue;
      layers_[i] = Layer{*grid, op.inputs[operands.weights], bias, op.inputs[operands.data], *operands.bias};
    }
  }

  // A tensor is free when every reader can take a shift; found from the last operator to the first.
  void FindFree() {
    free_.assign(graph().tensors.size(), false);
    for (size_t i = graph().ops.size(); i-- > 0;) {
      for (TensorId out : graph().ops[i].outputs) {
        if (out.valid()) free_[out.index()] = IsFree(out);
      }
    }
  }

  bool IsFree(TensorId id) const {
    const Tensor& tensor = graph().tensor(id);
    if (tensor.type != TensorType::kFloat32 || tensor.is_variable || tensor.quantization.IsQuantized()) return false;
    if (Channels(id) == 0 || uses_.IsSubgraphOutput(id)) return false;
    const auto& readers = uses_.consumers(id);
    return !readers.empty() &&
           std::all_of(readers.begin(), readers.end(), [&](OpId reader) { return TakesShift(reader, id); });
  }

  bool TakesShift(OpId reader, TensorId id) const {
    const Op& op = graph().ops[reader.index()];
    if (const std::optional<Layer>& layer = layers_[reader.index()]) {
      return layer->data == id && std::count(op.inputs.begin(), op.inputs.end(), id) == 1 &&
             NeverMeetsPadding(model_, op);
    }
    if (op.outputs.size() != 1 || !op.outputs[0].valid() || !free_[op.outputs[0].index()]) return false;
    const size_t before = Channels(id), after = Channels(op.outputs[0]);
    if (PassesShift(model_, op)) {
      return op.input(0) == id && (before == after || (IsShape(op.kind) && after % before == 0));
    }
    return IsSum(op) && before == after && std::all_of(op.inputs.begin(), op.inputs.end(), [&](TensorId in) {
             return in.valid() && Channels(in) == after && !model_.IsConstant(graph().tensor(in));
           });
  }

  // Shifts of an operator's result from those of its operands, in execution order.
  void Follow(size_t i) {
    const Op& op = graph().ops[i];
    if (op.outputs.size() != 1 || !op.outputs[0].valid() || !free_[op.outputs[0].index()]) return;
    Shift& out = shifts_[op.outputs[0].index()];
    if (layers_[i]) {
      out = ChooseShift(op);
      return;
    }
    if (PassesShift(model_, op)) {
      const Shift& in = shifts_[op.inputs[0].index()];
      for (size_t c = 0; !in.empty() && c < Channels(op.outputs[0]); ++c) out.push_back(in[c % in.size()]);
    } else if (IsSum(op)) {
      out.assign(Channels(op.outputs[0]), 0.0f);
      for (size_t operand : {size_t{0}, size_t{1}}) {
        const Shift& in = shifts_[op.inputs[operand].index()];
        const bool minus = operand == 1 && op.kind == OpKind::kSub;
        for (size_t c = 0; c < in.size(); ++c) out[c] += minus ? -in[c] : in[c];
      }
    }
    if (IsZero(out)) out.clear();
  }

  // What to take off the result of a layer; empty where it is not worth it.
  Shift ChooseShift(const Op& op) const {
    const TensorStats* seen = stats_.Find(op.outputs[0]);
    const Activation fused = FusedActivation(op);
    if (seen == nullptr || seen->channels.size() != Channels(op.outputs[0])) return {};
    if (fused != Activation::kNone && fused != Activation::kRelu) return {};
    Shift shift;
    float low = 0, high = 0, low_after = 0, high_after = 0;
    for (const TensorRange& range : seen->channels) {
      shift.push_back(fused == Activation::kNone ? range.min + (range.max - range.min) / 2 : std::max(range.min, 0.0f));
      low = std::min(low, range.min);
      high = std::max(high, range.max);
      low_after = std::min(low_after, range.min - shift.back());
      high_after = std::max(high_after, range.max - shift.back());
    }
    const bool narrower = high_after - low_after <= kNarrowerMax * (high - low);
    return narrower && std::isfinite(high_after - low_after) ? shift : Shift();
  }

  BiasAbsorption Apply() {
    BiasAbsorption result;
    GraphEditor editor(model_, SubgraphId(0));
    ConstantWriter writer(model_, editor);
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i]) RewriteBias(writer, i);
    }
    editor.Finish();
    for (size_t t = 0; t < shifts_.size(); ++t) {
      if (!IsZero(shifts_[t])) result.shifts.emplace(TensorId(t), std::move(shifts_[t]));
    }
    for (const Op& op : graph().ops) {
      if (IsShape(op.kind) && result.shifts.count(op.outputs[0]) > 0) {
        result.same_values.emplace_back(op.outputs[0], op.inputs[0]);
      }
    }
    result.shifted_tensors = static_cast<int64_t>(result.shifts.size());
    return result;
  }

  // bias += W * (shift of the data) - (shift of the result).
  void RewriteBias(ConstantWriter& writer, size_t i) const {
    const Layer& layer = *layers_[i];
    const Shift& in = shifts_[layer.data.index()];
    const Shift& out = shifts_[graph().ops[i].outputs[0].index()];
    if (in.empty() && out.empty()) return;
    const absl::Span<const float> old = model_.FloatData(graph().tensor(layer.bias));
    std::vector<double> sums(old.size(), 0.0);
    if (!in.empty()) {
      Shift columns(static_cast<size_t>(layer.grid.columns));
      for (size_t k = 0; k < columns.size(); ++k) columns[k] = in[k % in.size()];
      math::SumOfRows(model_.FloatData(graph().tensor(layer.weights)), layer.grid, columns, absl::MakeSpan(sums));
    }
    std::vector<uint8_t> bytes(old.size() * sizeof(float));
    auto* values = reinterpret_cast<float*>(bytes.data());
    for (size_t r = 0; r < old.size(); ++r) {
      const double taken = out.empty() ? 0.0 : static_cast<double>(out[r]);
      values[r] = static_cast<float>(static_cast<double>(old[r]) + sums[r] - taken);
    }
    writer.Store(OpId(i), layer.bias_operand, std::move(bytes));
  }

  Model& model_;
  const ActivationStats& stats_;
  const UseMap uses_;
  std::vector<std::optional<Layer>> layers_;  // by operator
  std::vector<bool> free_;                    // by tensor
  std::vector<Shift> shifts_;                 // by tensor
};

}  // namespace

absl::StatusOr<BiasAbsorption> AbsorbHighBias(Model& model, const ActivationStats& stats) {
  return BiasAbsorber(model, stats).Run();
}

void ApplyToStats(const BiasAbsorption& absorption, ActivationStats& stats) {
  for (const auto& [tensor, shifts] : absorption.shifts) {
    TensorStats* seen = stats.FindMutable(tensor);
    if (seen == nullptr) continue;
    if (seen->channels.size() != shifts.size()) {
      seen->range.min -= *std::max_element(shifts.begin(), shifts.end());
      seen->range.max -= *std::min_element(shifts.begin(), shifts.end());
      continue;
    }
    for (size_t c = 0; c < shifts.size(); ++c) {
      TensorRange& range = seen->channels[c];
      range = {range.min - shifts[c], range.max - shifts[c]};
      if (c == 0) seen->range = range;
      seen->range = {std::min(seen->range.min, range.min), std::max(seen->range.max, range.max)};
    }
  }
  for (const auto& [tensor, original] : absorption.same_values) {
    TensorStats* seen = stats.FindMutable(tensor);
    const TensorStats* from = stats.Find(original);
    if (seen != nullptr && from != nullptr) seen->range = from->range;
  }
}

absl::StatusOr<Change> AbsorbBiasPass::Edit(Model& model, PassContext& context) const {
  if (context.stats == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "STATS_MISSING",
                     "absorbing biases needs the ranges of channels; calibrate first");
  }
  LATHE_ASSIGN_OR_RETURN(const BiasAbsorption absorption, AbsorbHighBias(model, *context.stats));
  Change change;
  change.count = absorption.shifted_tensors;
  return change;
}

}  // namespace lathe
