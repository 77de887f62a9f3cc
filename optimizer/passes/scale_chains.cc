#include "optimizer/passes/scale_chains.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "optimizer/math/quantize.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/channel_rules.h"
#include "optimizer/passes/channel_sets.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Where RELU6 clips.
constexpr float kClip = 6.0f;

// Unites channels operator by operator, and notes the constants that take up factors. Nodes instead of groups until the
// last operator has been seen.
class ChainFinder {
 public:
  ChainFinder(const Model& model, const ActivationStats* stats)
      : model_(model), graph_(model.subgraphs[0]), stats_(stats), sets_(model, graph_) {}

  ScaleChains Find() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (!Link(OpId(i), graph_.ops[i])) FixAll(graph_.ops[i]);
    }
    return Collect();
  }

 private:
  // False: the operator is not known to keep factors, in this form.
  bool Link(OpId id, const Op& op) {
    if (op.outputs.size() != 1 && op.kind != OpKind::kSplit && op.kind != OpKind::kSplitV) return false;
    switch (op.kind) {
      case OpKind::kConv2d:
      case OpKind::kDepthwiseConv2d:
      case OpKind::kTransposeConv:
      case OpKind::kFullyConnected:
        return LinkWeights(id, op);
      case OpKind::kMul:
        return LinkProduct(id, op);
      case OpKind::kAdd:
      case OpKind::kSub:
      case OpKind::kMaximum:
      case OpKind::kMinimum:
        return LinkSum(id, op);
      case OpKind::kRelu:
      case OpKind::kRelu6:
      case OpKind::kLeakyRelu:
      case OpKind::kPrelu:
      case OpKind::kAbs:
      case OpKind::kNeg:
      case OpKind::kMaxPool2d:
      case OpKind::kAveragePool2d:
      case OpKind::kL2Pool2d:
      case OpKind::kResizeBilinear:
      case OpKind::kResizeNearestNeighbor:
        return LinkThrough(id, op);
      case OpKind::kSpaceToBatchNd:
      case OpKind::kBatchToSpaceNd:
        return IsSpatialBlock(op) && LinkThrough(id, op);
      case OpKind::kReshape:
      case OpKind::kSqueeze:
      case OpKind::kExpandDims:
      case OpKind::kDepthToSpace:
      case OpKind::kSpaceToDepth:
        return LinkRegrouped(op);
      case OpKind::kMean:
      case OpKind::kSum:
      case OpKind::kReduceMax:
      case OpKind::kReduceMin:
        return ReducesOtherAxesOnly(model_, op) && LinkThrough(id, op);
      case OpKind::kTranspose:
        return KeepsLastAxisInPlace(model_, op) && LinkThrough(id, op);
      case OpKind::kPad:
      case OpKind::kPadv2:
      case OpKind::kMirrorPad:
        return LinkPad(op);
      case OpKind::kSlice:
        return LinkSlice(op);
      case OpKind::kConcatenation:
        return LinkConcatenation(id, op);
      case OpKind::kSplit:
        return LinkSplit(op, 1, 0);
      case OpKind::kSplitV:
        return LinkSplit(op, 0, 2);
      default:
        return false;
    }
  }

  void FixAll(const Op& op) {
    for (TensorId id : op.inputs) sets_.Fix(id);
    for (TensorId id : op.outputs) sets_.Fix(id);
  }
  void FixInputsExcept(const Op& op, size_t operand) {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (i != operand) sets_.Fix(op.inputs[i]);
    }
  }

  // True when the activation of the operator, fused or its own, commutes with positive factors.
  bool KeepsFactors(OpId id, const Op& op) {
    if (op.kind != OpKind::kRelu6) {
      const Activation fused = FusedActivation(op);
      if (fused != Activation::kRelu6) return fused == Activation::kNone || fused == Activation::kRelu;
    }
    const TensorStats* seen = stats_ == nullptr ? nullptr : stats_->Find(op.outputs[0]);
    if (seen == nullptr || seen->channels.empty()) return false;
    const auto clips = [](const TensorRange& range) { return !(range.max < kClip); };
    if (std::any_of(seen->channels.begin(), seen->channels.end(), clips)) return false;
    clips_.push_back(id);
    return true;
  }

  // Operand 0 and the result have the same channels; further activations among the operands keep their scale.
  bool LinkThrough(OpId id, const Op& op, size_t operand = 0) {
    FixInputsExcept(op, operand);
    return KeepsFactors(id, op) && sets_.UniteChannels(op.input(operand), op.outputs[0]);
  }

  // Elements keep their order and the last dimension changes from n to m: element e is channel e mod n before and e mod
  // m after, so channels that are equal modulo gcd(n, m) meet. With m a multiple of n (a flattened image) each channel
  // before keeps a factor of its own. DEPTH_TO_SPACE and SPACE_TO_DEPTH (block outermost in the channels) do the same.
  bool LinkRegrouped(const Op& op) {
    const TensorId in = op.input(0), out = op.outputs[0];
    const size_t before = sets_.channels(in), after = sets_.channels(out);
    if (before == 0 || after == 0) return false;
    const size_t common = std::gcd(before, after);
    for (size_t c = common; c < before; ++c) sets_.Unite(sets_.node(in, c), sets_.node(in, c % common));
    for (size_t c = 0; c < after; ++c) sets_.Unite(sets_.node(out, c), sets_.node(in, c % common));
    return true;
  }

  bool LinkWeights(OpId id, const Op& op) {
    const WeightOperands operands = *GetWeightOperands(op.kind);
    const TensorId data = op.input(operands.data), out = op.outputs[0];
    ScaledWeights found;
    found.op = id;
    found.weights = operands.weights;
    found.bias_operand = *operands.bias;
    found.bias = op.input(found.bias_operand);
    const std::optional<math::WeightGrid> grid = FindWeightGrid(model_, op);
    if (!grid) return false;
    found.grid = *grid;
    if (found.bias.valid() && (!IsUsable(found.bias) || NumElements(found.bias) != grid->rows)) return false;
    const bool keeps = KeepsFactors(id, op) && sets_.channels(out) == static_cast<size_t>(grid->rows);
    if (!keeps) sets_.Fix(out);
    found.rows = NodesOf(out, keeps, static_cast<size_t>(grid->rows), 0);
    found.columns = NodesOf(data, sets_.channels(data) > 0, static_cast<size_t>(grid->columns), 0);
    weights_.push_back(std::move(found));
    return true;
  }

  // `count` nodes of the activation from channel `first`, counted modulo its channels; fixed ones unless `free`.
  std::vector<int32_t> NodesOf(TensorId id, bool free, size_t count, size_t first) const {
    std::vector<int32_t> nodes(count, static_cast<int32_t>(ChannelSets::kFixedNode));
    for (size_t c = 0; free && c < count; ++c) {
      nodes[c] = static_cast<int32_t>(sets_.node(id, (first + c) % sets_.channels(id)));
    }
    return nodes;
  }

  // By a constant: a value for each channel takes up factors on both sides as a depthwise convolution does; one value
  // lets them through. By an activation: the smaller operand (a gate for each channel) keeps its scale.
  bool LinkProduct(OpId id, const Op& op) {
    if (op.inputs.size() != 2) return false;
    const bool constant[] = {IsConstant(op.input(0)), IsConstant(op.input(1))};
    if (constant[0] && constant[1]) return false;
    if (!constant[0] && !constant[1]) {
      const bool second_is_larger = NumElements(op.inputs[1]) > NumElements(op.inputs[0]);
      return LinkThrough(id, op, second_is_larger ? 1 : 0);
    }
    const size_t factor = constant[1] ? 1 : 0;
    const TensorId data = op.inputs[1 - factor], out = op.outputs[0];
    if (!IsUsable(op.inputs[factor])) return false;
    const int64_t count = NumElements(op.inputs[factor]);
    if (count == 1) return LinkThrough(id, op, 1 - factor);
    const std::vector<int32_t>& shape = Shape(op.inputs[factor]);
    const auto channels = static_cast<int64_t>(sets_.channels(data));
    if (shape.empty() || channels == 0 || shape.back() != channels) return false;
    ScaledWeights found;
    found.op = id;
    found.weights = factor;
    found.grid = {.rows = channels, .taps = count / channels, .columns = channels, .depthwise = true};
    const bool keeps = KeepsFactors(id, op) && static_cast<int64_t>(sets_.channels(out)) == channels;
    if (!keeps) sets_.Fix(out);
    found.rows = NodesOf(out, keeps, static_cast<size_t>(channels), 0);
    found.columns = NodesOf(data, true, static_cast<size_t>(channels), 0);
    weights_.push_back(std::move(found));
    return true;
  }

  // f(a / s, b / s) = f(a, b) / s: all activations share their factors, constants are divided too.
  bool LinkSum(OpId id, const Op& op) {
    const TensorId out = op.outputs[0];
    if (op.inputs.size() != 2 || sets_.channels(out) == 0 || !KeepsFactors(id, op)) return false;
    for (size_t operand : {size_t{0}, size_t{1}}) {
      const TensorId in = op.inputs[operand];
      const bool linked = IsConstant(in) ? LinkConstant(id, op, operand, 0) : sets_.UniteChannels(in, out);
      if (!linked) return false;
    }
    return true;
  }

  // A constant operand whose channel c meets channel `first` + c of the result. Zeros need no factor.
  bool LinkConstant(OpId id, const Op& op, size_t operand, size_t first) {
    const TensorId in = op.inputs[operand], out = op.outputs[0];
    if (!IsUsable(in)) return false;
    const std::vector<int32_t>& shape = Shape(in);
    const math::MinMax range = math::FindMinMax(model_.FloatData(graph_.tensor(in)));
    if (range.lo == 0 && range.hi == 0) return true;
    const size_t count = shape.empty() ? 0 : static_cast<size_t>(shape.back());
    if (count == 0 || first + count > sets_.channels(out) || (first == 0 && count == 1 && sets_.channels(out) > 1)) {
      return false;
    }
    constants_.push_back({id, operand, NodesOf(out, true, count, first)});
    return true;
  }

  bool LinkPad(const Op& op) {
    const auto paddings = Ints(op.input(1));
    const TensorId in = op.input(0), out = op.outputs[0];
    if (!paddings || sets_.channels(in) == 0 || paddings->size() != 2 * Shape(in).size()) return false;
    const int32_t before = (*paddings)[paddings->size() - 2], after = paddings->back();
    if (before < 0 || after < 0) return false;
    if (op.kind == OpKind::kMirrorPad && (before > 0 || after > 0)) return false;
    if (op.kind == OpKind::kPadv2) {
      if (!op.input(2).valid() || !IsUsable(op.input(2))) return false;
      const math::MinMax value = math::FindMinMax(model_.FloatData(graph_.tensor(op.input(2))));
      if (value.lo != 0 || value.hi != 0) return false;
    }
    // Channels that padding adds are zero: they take whatever factor their other readers agree on.
    return LinkRange(in, 0, out, static_cast<size_t>(before), sets_.channels(in));
  }

  bool LinkSlice(const Op& op) {
    const auto begin = Ints(op.input(1));
    const TensorId in = op.input(0), out = op.outputs[0];
    if (!begin || begin->empty() || begin->size() != Shape(in).size() || begin->back() < 0) return false;
    return LinkRange(in, static_cast<size_t>(begin->back()), out, 0, sets_.channels(out));
  }

  // Channels [a_first, a_first + count) of one with [b_first, ...) of the other; false where either ends before.
  bool LinkRange(TensorId a, size_t a_first, TensorId b, size_t b_first, size_t count) {
    if (count == 0 || a_first + count > sets_.channels(a) || b_first + count > sets_.channels(b)) return false;
    for (size_t c = 0; c < count; ++c) sets_.Unite(sets_.node(a, a_first + c), sets_.node(b, b_first + c));
    return true;
  }

  bool LinkConcatenation(OpId id, const Op& op) {
    const TensorId out = op.outputs[0];
    const std::optional<int32_t> axis = GetConcatenationAxis(op);
    if (!axis || sets_.channels(out) == 0 || !KeepsFactors(id, op)) return false;
    const auto rank = static_cast<int32_t>(Shape(out).size());
    const bool along_channels = *axis == rank - 1 || *axis == -1;
    size_t first = 0;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const TensorId in = op.inputs[i];
      if (!in.valid() || Shape(in).empty() || Shape(in).back() < 0) return false;
      const auto count = static_cast<size_t>(Shape(in).back());
      const bool linked = IsConstant(in) ? LinkConstant(id, op, i, first)
                                         : sets_.channels(in) == count && LinkRange(in, 0, out, first, count);
      if (!linked) return false;
      if (along_channels) first += count;
    }
    return true;
  }

  bool LinkSplit(const Op& op, size_t data, size_t axis_operand) {
    const TensorId in = op.input(data);
    const auto axis = Ints(op.input(axis_operand));
    if (!axis || axis->size() != 1 || sets_.channels(in) == 0) return false;
    const auto rank = static_cast<int32_t>(Shape(in).size());
    const bool along_channels = (*axis)[0] == rank - 1 || (*axis)[0] == -1;
    size_t first = 0;
    for (TensorId out : op.outputs) {
      if (!LinkRange(in, first, out, 0, sets_.channels(out))) return false;
      if (along_channels) first += sets_.channels(out);
    }
    return true;
  }

  // The blocks lie in the dimensions between the first and the last.
  bool IsSpatialBlock(const Op& op) const {
    const auto block = Ints(op.input(1));
    return block && op.input(0).valid() && block->size() + 2 <= Shape(op.inputs[0]).size();
  }

  // Groups are numbered in order of their first node, which is the order of tensors and channels.
  ScaleChains Collect() {
    ScaleChains chains;
    group_of_.assign(sets_.size(), kNoGroup);
    for (size_t n = 1; n < sets_.size(); ++n) {
      const ChannelSets::Node root = sets_.Find(static_cast<ChannelSets::Node>(n));
      if (sets_.IsFixed(root)) continue;
      if (group_of_[root] == kNoGroup) group_of_[root] = static_cast<int32_t>(chains.group_count++);
      group_of_[n] = group_of_[root];
    }
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      std::vector<int32_t> groups;
      for (ChannelSets::Node node : sets_.nodes(TensorId(t))) groups.push_back(group_of_[node]);
      if (HasGroup(groups)) chains.activations.emplace(TensorId(t), std::move(groups));
    }
    for (ScaledWeights& found : weights_) {
      ToGroups(found.rows);
      ToGroups(found.columns);
      if (HasGroup(found.rows) || HasGroup(found.columns)) chains.weights.push_back(std::move(found));
    }
    for (ScaledConstant& found : constants_) {
      ToGroups(found.channels);
      if (HasGroup(found.channels)) chains.constants.push_back(std::move(found));
    }
    chains.clips = std::move(clips_);
    FindComponents(chains);
    return chains;
  }

  void ToGroups(std::vector<int32_t>& nodes) const {
    for (int32_t& node : nodes) node = group_of_[static_cast<size_t>(node)];
  }

  static bool HasGroup(const std::vector<int32_t>& groups) {
    return std::any_of(groups.begin(), groups.end(), [](int32_t group) { return group != kNoGroup; });
  }

  static void FindComponents(ScaleChains& chains) {
    std::vector<int32_t> parents(chains.group_count);
    std::iota(parents.begin(), parents.end(), 0);
    const auto find = [&](int32_t group) {
      while (parents[static_cast<size_t>(group)] != group) {
        int32_t& parent = parents[static_cast<size_t>(group)];
        parent = parents[static_cast<size_t>(parent)];
        group = parent;
      }
      return group;
    };
    for (const auto& [tensor, groups] : chains.activations) {
      int32_t first = kNoGroup;
      for (int32_t group : groups) {
        if (group == kNoGroup) continue;
        if (first == kNoGroup) first = group;
        const int32_t a = find(first), b = find(group);
        parents[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
      }
    }
    chains.component.assign(chains.group_count, 0);
    for (size_t g = 0; g < chains.group_count; ++g) {
      const auto root = static_cast<size_t>(find(static_cast<int32_t>(g)));
      chains.component[g] = root == g ? static_cast<int32_t>(chains.component_count++) : chains.component[root];
    }
  }

  bool IsConstant(TensorId id) const { return id.valid() && model_.IsConstant(graph_.tensor(id)); }
  const std::vector<int32_t>& Shape(TensorId id) const { return graph_.tensor(id).shape; }
  int64_t NumElements(TensorId id) const { return id.valid() ? graph_.tensor(id).NumElements() : 0; }

  bool IsUsable(TensorId id) const { return IsUsableConstant(model_, id); }
  std::optional<absl::Span<const int32_t>> Ints(TensorId id) const { return ConstantInts(model_, id); }

  const Model& model_;
  const Subgraph& graph_;
  const ActivationStats* stats_;
  ChannelSets sets_;
  std::vector<ScaledWeights> weights_;
  std::vector<ScaledConstant> constants_;
  std::vector<OpId> clips_;
  std::vector<int32_t> group_of_;
};

}  // namespace

ScaleChains FindScaleChains(const Model& model, const ActivationStats* stats) {
  return ChainFinder(model, stats).Find();
}

}  // namespace lathe
