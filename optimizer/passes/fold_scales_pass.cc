#include "optimizer/passes/fold_scales_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/channel_affine.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// TRANSPOSE_CONV has a bias since this version. (A fused activation came later; none is fused into it.)
constexpr int32_t kTransposeConvBiasVersion = 3;

bool FusesActivations(OpKind kind) {
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kFullyConnected:
    case OpKind::kMul:
    case OpKind::kSub:
      return true;
    default:
      return false;
  }
}

Activation ActivationOf(OpKind kind) {
  return kind == OpKind::kRelu ? Activation::kRelu : kind == OpKind::kRelu6 ? Activation::kRelu6 : Activation::kNone;
}

// The weights and the bias of one operator while scales are folded into them.
struct Affine {
  WeightOperands operands;
  math::ChannelLayout layout;  // output channels
  int64_t input_channels = 0;  // as the data's last dimension counts them
  std::vector<double> weights, bias;
};

// One pass over the operators of a subgraph.
class Sweep {
 public:
  Sweep(Model& model, SubgraphId subgraph)
      : model_(model),
        subgraph_(subgraph),
        uses_(model.subgraph(subgraph)),
        editor_(model, subgraph),
        tensor_count_(graph().tensors.size()),
        exposed_(tensor_count_, false),
        erased_(graph().ops.size(), false) {
    for (TensorId id : graph().outputs) exposed_[id.index()] = true;
    for (const Signature& signature : model.signatures) {
      if (signature.subgraph != subgraph) continue;
      for (const SignatureEntry& entry : signature.outputs) exposed_[entry.tensor.index()] = true;
    }
  }

  absl::StatusOr<int64_t> Run(const CancelToken& cancel) {
    const size_t op_count = graph().ops.size();
    for (size_t i = 0; i < op_count; ++i) {
      LATHE_RETURN_IF_ERROR(cancel.Check());
      if (erased_[i]) continue;
      FoldBefore(OpId(i));
      while (FoldAfter(OpId(i))) {
      }
    }
    editor_.Finish();
    return std::count(erased_.begin(), erased_.end(), true);
  }

 private:
  Subgraph& graph() { return model_.subgraph(subgraph_); }
  const Op& op(OpId id) { return graph().ops[id.index()]; }

  void Erase(OpId id) {
    editor_.Erase(id);
    erased_[id.index()] = true;
  }

  // True when `reader` alone reads the tensor, once. Tensors that this sweep made have one reader.
  bool IsReadOnlyBy(TensorId id, OpId reader) {
    if (id.index() >= tensor_count_) return true;
    const auto& readers = uses_.consumers(id);
    const auto& inputs = op(reader).inputs;
    return readers.size() == 1 && readers[0] == reader && !exposed_[id.index()] && !uses_.IsSubgraphInput(id) &&
           std::count(inputs.begin(), inputs.end(), id) <= 1;
  }

  // Nullopt when the operator's weights cannot take a scale.
  std::optional<Affine> Load(OpId id) {
    const std::optional<WeightOperands> operands = GetWeightOperands(op(id).kind);
    if (!operands || !operands->bias || !WhyNoFloatWeights(id, *operands).empty()) return std::nullopt;
    const Tensor& weights = graph().tensor(op(id).inputs[operands->weights]);
    Affine affine{.operands = *operands, .layout = LayoutAlong(weights, operands->axis), .weights = {}, .bias = {}};
    affine.input_channels = op(id).kind == OpKind::kDepthwiseConv2d
                                ? graph().tensor(op(id).inputs[operands->data]).shape.back()
                                : weights.shape.back();
    if (affine.input_channels <= 0 || weights.NumElements() == 0) return std::nullopt;
    if (op(id).kind == OpKind::kDepthwiseConv2d && affine.layout.channels % affine.input_channels != 0) {
      return std::nullopt;
    }
    const absl::Span<const float> values = model_.FloatData(weights);
    affine.weights.assign(values.begin(), values.end());
    affine.bias.assign(static_cast<size_t>(affine.layout.channels), 0);
    if (const TensorId bias = op(id).input(*operands->bias); bias.valid()) {
      const absl::Span<const float> biases = model_.FloatData(graph().tensor(bias));
      affine.bias.assign(biases.begin(), biases.end());
    }
    return affine;
  }

  std::string WhyNoFloatWeights(OpId id, const WeightOperands& operands) {
    const std::string why = WhyNoIntegerWeights(model_, graph(), op(id));  // asks for the same: dense float constants
    if (!why.empty()) return why;
    if (!IsReadOnlyBy(op(id).inputs[operands.weights], id)) return "others read its weights";
    if (graph().tensor(op(id).inputs[operands.data]).shape.empty()) return "its data are a scalar";
    const TensorId bias = op(id).input(*operands.bias);
    const int64_t channels = LayoutAlong(graph().tensor(op(id).inputs[operands.weights]), operands.axis).channels;
    if (bias.valid() &&
        (!IsDenseFloatConstant(model_, graph().tensor(bias)) || graph().tensor(bias).NumElements() != channels)) {
      return "its bias is no constant";
    }
    return "";
  }

  // False, with nothing changed, when a value does not fit float32.
  bool Store(OpId id, const Affine& affine, bool weights_changed, bool bias_changed) {
    std::vector<uint8_t> weights, bias;
    if (!ToFloats(affine.weights, weights) || !ToFloats(affine.bias, bias)) return false;
    if (weights_changed) editor_.SetData(op(id).inputs[affine.operands.weights], std::move(weights));
    const size_t operand = *affine.operands.bias;
    const TensorId old = op(id).input(operand);
    if (!bias_changed && (!old.valid() || !weights_changed)) return true;
    if (old.valid() && IsReadOnlyBy(old, id)) {
      editor_.SetData(old, std::move(bias));
      return true;
    }
    Tensor tensor;
    tensor.name = old.valid() ? graph().tensor(old).name : graph().tensor(op(id).outputs[0]).name + "_bias";
    tensor.shape = {static_cast<int32_t>(affine.bias.size())};
    tensor.buffer = editor_.AddBuffer(std::move(bias));
    const TensorId made = editor_.AddTensor(std::move(tensor));
    editor_.PadInputs(id, operand + 1);
    editor_.SetInput(id, operand, made);
    if (op(id).kind == OpKind::kTransposeConv) {
      editor_.SetVersion(id, std::max(op(id).version, kTransposeConvBiasVersion));
    }
    return true;
  }

  static bool ToFloats(const std::vector<double>& values, std::vector<uint8_t>& bytes) {
    bytes.resize(values.size() * sizeof(float));
    bool finite = true;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = static_cast<float>(values[i]);
      finite = finite && std::isfinite(value);
      std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
    }
    return finite;
  }

  // Folds the reader of the operator's output into it. True when it did, and the next reader may follow.
  bool FoldAfter(OpId id) {
    if (op(id).outputs.size() != 1 || !op(id).outputs[0].valid()) return false;
    const TensorId between = op(id).outputs[0];
    const auto& readers = uses_.consumers(between);
    if (FusedActivation(op(id)) != Activation::kNone || readers.size() != 1 || erased_[readers[0].index()])
      return false;
    if (!IsReadOnlyBy(between, readers[0])) return false;
    const Op reader = op(readers[0]);
    if (reader.outputs.size() != 1 || graph().tensor(between).type != TensorType::kFloat32) return false;
    const Tensor& result = graph().tensor(reader.outputs[0]);
    if (result.type != TensorType::kFloat32 || result.shape != graph().tensor(between).shape) return false;

    Activation activation = ActivationOf(reader.kind);
    if (activation == Activation::kNone) {
      activation = FusedActivation(reader);
      const std::optional<ChannelAffine> affine = FindChannelAffine(model_, graph(), reader);
      if (!affine || reader.inputs[affine->data] != between) return false;
      if (activation != Activation::kNone && !CanFuse(id, activation)) return false;
      if (!ScaleOutput(id, *affine)) return false;
    } else if (!CanFuse(id, activation)) {
      return false;
    }
    if (activation != Activation::kNone) editor_.SetOptions(id, WithFusedActivation(op(id), activation));
    editor_.SetOutput(id, 0, reader.outputs[0]);
    Erase(readers[0]);
    return true;
  }

  bool CanFuse(OpId id, Activation activation) {
    if (activation != Activation::kRelu && activation != Activation::kRelu6) return false;
    if (!FusesActivations(op(id).kind)) return false;
    Op fused = op(id);
    fused.options = WithFusedActivation(fused, activation);
    return FusedActivation(fused) == activation;  // not so when the file left the options out
  }

  bool ScaleOutput(OpId id, const ChannelAffine& affine) {
    std::optional<Affine> target = Load(id);
    if (!target) return false;
    const auto channels = static_cast<size_t>(target->layout.channels);
    for (size_t size : {affine.scale.size(), affine.shift.size()}) {
      if (size != 1 && size != channels) return false;
    }
    const auto inner = static_cast<size_t>(target->layout.inner);
    for (size_t i = 0; i < target->weights.size(); ++i) target->weights[i] *= affine.ScaleOf(i / inner % channels);
    for (size_t c = 0; c < channels; ++c) {
      target->bias[c] = target->bias[c] * affine.ScaleOf(c) + affine.ShiftOf(c);
    }
    return Store(id, *target, affine.scales, affine.shifts);
  }

  // Folds the operators before this one into it, nearest first.
  void FoldBefore(OpId id) {
    const std::optional<WeightOperands> operands = GetWeightOperands(op(id).kind);
    if (!operands || !operands->bias || !op(id).input(operands->data).valid()) return;
    OpId reader = id;
    while (true) {
      const TensorId between = op(id).inputs[operands->data];
      const OpId producer = uses_.producer(between);
      if (!producer.valid() || erased_[producer.index()] || !IsReadOnlyBy(between, reader)) return;
      const Op before = op(producer);
      if (FusedActivation(before) != Activation::kNone) return;
      const std::optional<ChannelAffine> affine = FindChannelAffine(model_, graph(), before);
      if (!affine || (affine->shifts && !ReadsNoPadding(id)) || !ScaleInput(id, *affine)) return;
      editor_.SetInput(id, operands->data, before.inputs[affine->data]);
      Erase(producer);
      reader = producer;
    }
  }

  bool ReadsNoPadding(OpId id) {
    if (op(id).kind == OpKind::kFullyConnected) return true;
    const std::optional<ConvOptions> options = GetConvOptions(op(id));
    if (!options || op(id).kind == OpKind::kTransposeConv) return false;
    const std::vector<int32_t>& weights = graph().tensor(op(id).inputs[1]).shape;
    return !options->same_padding || (weights[1] == 1 && weights[2] == 1);
  }

  bool ScaleInput(OpId id, const ChannelAffine& affine) {
    std::optional<Affine> target = Load(id);
    if (!target) return false;
    const auto channels = static_cast<size_t>(target->input_channels);
    if (graph().tensor(op(id).inputs[target->operands.data]).shape.back() != target->input_channels) return false;
    const bool depthwise = op(id).kind == OpKind::kDepthwiseConv2d;
    const auto outputs = static_cast<size_t>(target->layout.channels),
               inner = static_cast<size_t>(target->layout.inner);
    for (size_t i = 0; i < target->weights.size(); ++i) {
      const size_t output = i / inner % outputs;
      const size_t input = depthwise ? output / (outputs / channels) : i % channels;
      target->bias[output] += target->weights[i] * affine.ShiftOf(input);
      target->weights[i] *= affine.ScaleOf(input);
    }
    return Store(id, *target, affine.scales, affine.shifts);
  }

  Model& model_;
  const SubgraphId subgraph_;
  const UseMap uses_;
  GraphEditor editor_;
  const size_t tensor_count_;
  std::vector<bool> exposed_, erased_;
};

}  // namespace

absl::StatusOr<Change> FoldScalesPass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    // One sweep folds whole chains; another finds what the first brought together.
    for (int64_t folded = 1; folded > 0; change.count += folded) {
      LATHE_ASSIGN_OR_RETURN(folded, Sweep(model, SubgraphId(s)).Run(context.cancel));
    }
  }
  return change;
}

}  // namespace lathe
