#include "optimizer/passes/equalize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/parallel.h"
#include "optimizer/math/channel_scales.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/channel_balance.h"
#include "optimizer/passes/constant_writer.h"
#include "optimizer/passes/scale_chains.h"

namespace lathe {
namespace {

absl::Span<float> AsFloats(std::vector<uint8_t>& bytes) {
  return absl::MakeSpan(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
}

// Divisor of each channel; 1 for a channel without a group.
std::vector<float> DivisorsOf(const std::vector<int32_t>& groups, const std::vector<float>& divisors) {
  std::vector<float> result(groups.size(), 1.0f);
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != kNoGroup) result[i] = divisors[static_cast<size_t>(groups[i])];
  }
  return result;
}

bool AllOne(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 1; });
}

std::vector<float> Inverse(std::vector<float> values) {
  for (float& value : values) value = 1 / value;
  return values;
}

// Writes the divisors of the groups into the model.
class Rescaler {
 public:
  Rescaler(Model& model, const ScaleChains& chains, const std::vector<float>& divisors)
      : model_(model), chains_(chains), divisors_(divisors), editor_(model, SubgraphId(0)) {}

  Equalization Apply() {
    Equalization result = Describe();
    if (result.divisors.empty()) {
      editor_.Finish();
      return result;
    }
    ComputeConstants();
    ConstantWriter writer(model_, editor_);
    for (NewConstant& constant : constants_) writer.Store(constant.op, constant.operand, std::move(constant.bytes));
    for (OpId clip : chains_.clips) {
      if (result.divisors.count(graph().ops[clip.index()].outputs[0]) > 0) RemoveClip(clip);
    }
    editor_.Finish();
    return result;
  }

 private:
  // New values for one operand of one operator.
  struct NewConstant {
    OpId op;
    size_t operand;
    std::vector<uint8_t> bytes;
  };

  const Subgraph& graph() const { return model_.subgraphs[0]; }
  TensorId Operand(OpId op, size_t operand) const { return graph().ops[op.index()].inputs[operand]; }
  absl::Span<const float> Values(OpId op, size_t operand) const {
    return model_.FloatData(graph().tensor(Operand(op, operand)));
  }

  Equalization Describe() const {
    Equalization result;
    for (const auto& [tensor, groups] : chains_.activations) {
      std::vector<float> divisors = DivisorsOf(groups, divisors_);
      if (!AllOne(divisors)) result.divisors.emplace(tensor, std::move(divisors));
    }
    result.scaled_tensors = static_cast<int64_t>(result.divisors.size());
    for (const Op& op : graph().ops) {
      const bool moves_only = op.kind == OpKind::kReshape || op.kind == OpKind::kSqueeze ||
                              op.kind == OpKind::kExpandDims || op.kind == OpKind::kDepthToSpace ||
                              op.kind == OpKind::kSpaceToDepth;
      if (moves_only && result.divisors.count(op.outputs[0]) > 0) {
        result.same_values.emplace_back(op.outputs[0], op.inputs[0]);
      }
    }
    return result;
  }

  // All new values from the old ones, before any of them is replaced.
  void ComputeConstants() {
    for (size_t i = 0; i < chains_.weights.size(); ++i) {
      const ScaledWeights& weights = chains_.weights[i];
      const bool rows = !AllOne(DivisorsOf(weights.rows, divisors_));
      if (!rows && AllOne(DivisorsOf(weights.columns, divisors_))) continue;
      sources_.push_back({&weights, nullptr, false});
      constants_.push_back({weights.op, weights.weights, {}});
      if (!rows || !weights.bias.valid()) continue;
      sources_.push_back({&weights, nullptr, true});
      constants_.push_back({weights.op, weights.bias_operand, {}});
    }
    for (const ScaledConstant& constant : chains_.constants) {
      if (AllOne(DivisorsOf(constant.channels, divisors_))) continue;
      sources_.push_back({nullptr, &constant, false});
      constants_.push_back({constant.op, constant.operand, {}});
    }
    ParallelFor(constants_.size(), [&](size_t i) { Compute(sources_[i], constants_[i]); });
  }

  // Why an operand changes: weights, or their bias, or a constant of a sum.
  struct Source {
    const ScaledWeights* weights;
    const ScaledConstant* constant;
    bool is_bias;
  };

  void Compute(const Source& source, NewConstant& constant) const {
    const absl::Span<const float> values = Values(constant.op, constant.operand);
    constant.bytes.resize(values.size() * sizeof(float));
    const absl::Span<float> out = AsFloats(constant.bytes);
    if (source.weights != nullptr && !source.is_bias) {
      math::ScaleWeights(values, source.weights->grid, Inverse(DivisorsOf(source.weights->rows, divisors_)),
                         DivisorsOf(source.weights->columns, divisors_), out);
      return;
    }
    const std::vector<float> divisors =
        DivisorsOf(source.is_bias ? source.weights->rows : source.constant->channels, divisors_);
    for (size_t i = 0; i < values.size(); ++i) out[i] = values[i] / divisors[i % divisors.size()];
  }

  void RemoveClip(OpId id) {
    Op op = graph().ops[id.index()];
    if (op.kind != OpKind::kRelu6) {
      editor_.SetOptions(id, WithFusedActivation(op, Activation::kRelu));
      return;
    }
    op.kind = OpKind::kRelu;
    op.version = 1;
    editor_.InsertBefore(id, std::move(op));
    editor_.Erase(id);
  }

  Model& model_;
  const ScaleChains& chains_;
  const std::vector<float>& divisors_;
  GraphEditor editor_;
  std::vector<NewConstant> constants_;
  std::vector<Source> sources_;  // of constants_
};

}  // namespace

absl::StatusOr<Equalization> Equalize(Model& model, const ActivationStats* stats, const EqualizeSettings& settings) {
  if (settings.alpha && stats == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "STATS_MISSING",
                     "activation-aware equalization needs the ranges of channels; calibrate first");
  }
  const ScaleChains chains = FindScaleChains(model, stats);
  ChannelBalance balance(model, chains);
  if (settings.cross_layer) balance.BalanceWeights();
  if (settings.alpha) balance.BalanceActivations(*stats, *settings.alpha);
  return Rescaler(model, chains, balance.Divisors()).Apply();
}

float ChannelImbalance(const Model& model) {
  const ScaleChains chains = FindScaleChains(model, nullptr);
  ChannelBalance balance(model, chains);
  balance.BalanceWeights();
  const std::vector<float> divisors = balance.Divisors();
  float imbalance = 1;
  for (const auto& [tensor, groups] : chains.activations) {
    const std::vector<float> channels = DivisorsOf(groups, divisors);
    const auto [least, largest] = std::minmax_element(channels.begin(), channels.end());
    if (!channels.empty()) imbalance = std::max(imbalance, *largest / *least);
  }
  return imbalance;
}

void ApplyToStats(const Equalization& equalization, ActivationStats& stats) {
  for (const auto& [tensor, divisors] : equalization.divisors) {
    TensorStats* seen = stats.FindMutable(tensor);
    if (seen == nullptr) continue;
    if (seen->channels.size() != divisors.size()) {
      const float least = *std::min_element(divisors.begin(), divisors.end());
      seen->range = {seen->range.min / least, seen->range.max / least};
      continue;
    }
    for (size_t c = 0; c < divisors.size(); ++c) {
      TensorRange& range = seen->channels[c];
      range = {range.min / divisors[c], range.max / divisors[c]};
      if (c == 0) seen->range = range;
      seen->range = {std::min(seen->range.min, range.min), std::max(seen->range.max, range.max)};
    }
  }
  for (const auto& [tensor, original] : equalization.same_values) {
    TensorStats* seen = stats.FindMutable(tensor);
    const TensorStats* from = stats.Find(original);
    if (seen != nullptr && from != nullptr) seen->range = from->range;
  }
}

absl::StatusOr<Change> EqualizePass::Edit(Model& model, PassContext& context) const {
  LATHE_ASSIGN_OR_RETURN(const Equalization equalization, Equalize(model, context.stats, settings_));
  Change change;
  change.count = equalization.scaled_tensors;
  return change;
}

}  // namespace lathe
