#include "optimizer/passes/round_weights.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/parallel.h"
#include "optimizer/math/rounding.h"
#include "optimizer/passes/weight_rows.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

using Algorithm = RoundWeightsSettings::Algorithm;

constexpr int kSweeps = 8;  // coordinate descent has converged by then on every layer tried

// What is tried in place of max|w| / level_max. Nothing at 8 bits, where clipping a channel rarely pays.
std::vector<float> ScaleFactors(int bits) {
  std::vector<float> factors;
  if (bits >= 8) return factors;
  for (int i = 12; i < 40; ++i) factors.push_back(static_cast<float>(i) / 40);
  return factors;
}

// Everything about one H and the rows that share it.
struct Rows {
  absl::Span<const float> weights;  // what rounding aims at
  absl::Span<const float> second, mean;
  int64_t k;
};

void ChooseLevels(const Rows& rows, int bits, const RoundWeightsSettings& settings, absl::Span<float> scales,
                  absl::Span<int8_t> levels) {
  const std::vector<float> h = math::ConditionMoments(rows.second, rows.mean, settings.correct_bias, settings.damping);
  const math::RoundingProblem problem(rows.weights, rows.k, h, bits);
  if (settings.search_scales) math::SearchScales(problem, ScaleFactors(bits), scales);
  math::RoundToNearest(problem, scales, levels);
  if (settings.algorithm == Algorithm::kNearest) return;
  if (settings.algorithm != Algorithm::kCoordinateDescent && !math::RoundGptq(problem, scales, levels).ok()) {
    math::RoundToNearest(problem, scales, levels);  // inputs that were always 0: H is 0
  }
  math::DescendCoordinates(problem, scales, kSweeps, levels);
  if (settings.algorithm == Algorithm::kAdaptive) {
    math::RoundAdaptively(problem, scales, {}, levels);
    math::DescendCoordinates(problem, scales, kSweeps, levels);
  }
  if (!settings.search_scales) return;
  math::RefitScales(problem, levels, scales);
  math::DescendCoordinates(problem, scales, kSweeps, levels);
}

class OperatorRounding {
 public:
  OperatorRounding(OpKind kind, const WeightRows& rows, const InputMoments& moments, int bits,
                   const RoundWeightsSettings& settings)
      : kind_(kind), rows_(rows), moments_(moments), bits_(bits), settings_(settings) {}

  // Rounds `target`, and corrects the bias for the float weights on inputs of mean `reference_mean`.
  absl::StatusOr<ChosenWeights> Round(const std::vector<float>& target, absl::Span<const float> reference_mean) {
    ChosenWeights chosen;
    chosen.bits = bits_;
    chosen.scales.resize(static_cast<size_t>(rows_.channels));
    std::vector<int8_t> levels(target.size());
    LATHE_RETURN_IF_ERROR(StartScales(target, absl::MakeSpan(chosen.scales)));
    if (moments_.second.empty()) {
      for (size_t i = 0; i < levels.size(); ++i) levels[i] = Nearest(target[i], chosen.scales[Channel(i)]);
    } else {
      RoundGroups(target, absl::MakeSpan(chosen.scales), absl::MakeSpan(levels));
    }
    if (settings_.correct_bias) chosen.bias_shift = BiasShift(chosen.scales, levels, reference_mean);
    if (moments_.second.empty()) {
      chosen.scales.clear();  // the pass rounds to the nearest by itself
      return chosen;
    }
    chosen.levels = ToTensorOrder(kind_, rows_.channels, rows_.k, std::move(levels));
    return chosen;
  }

 private:
  size_t Channel(size_t i) const { return i / static_cast<size_t>(rows_.k); }
  int8_t Nearest(float weight, float scale) const {
    const auto limit = static_cast<float>((1 << (bits_ - 1)) - 1);
    return static_cast<int8_t>(std::nearbyint(std::clamp(weight / scale, -limit, limit)));
  }

  absl::Status StartScales(const std::vector<float>& target, absl::Span<float> scales) const {
    LATHE_RETURN_IF_ERROR(math::ChooseWeightScales(target, {1, rows_.channels, rows_.k}, scales));
    const float factor = 127.0f / static_cast<float>((1 << (bits_ - 1)) - 1);
    for (float& scale : scales) scale *= factor;
    return absl::OkStatus();
  }

  void RoundGroups(const std::vector<float>& target, absl::Span<float> scales, absl::Span<int8_t> levels) const {
    const auto k = static_cast<size_t>(rows_.k), groups = static_cast<size_t>(moments_.groups);
    const size_t channels = scales.size() / groups;
    ParallelFor(groups, [&](size_t g) {
      const Rows rows = {absl::MakeConstSpan(target).subspan(g * channels * k, channels * k),
                         absl::MakeConstSpan(moments_.second).subspan(g * k * k, k * k),
                         absl::MakeConstSpan(moments_.mean).subspan(g * k, k), rows_.k};
      ChooseLevels(rows, bits_, settings_, scales.subspan(g * channels, channels),
                   levels.subspan(g * channels * k, channels * k));
    });
  }

  // W E[x] - W' E[y] for each channel.
  std::vector<float> BiasShift(absl::Span<const float> scales, const std::vector<int8_t>& levels,
                               absl::Span<const float> reference_mean) const {
    std::vector<double> shift(scales.size());
    const size_t group_size = levels.size() / static_cast<size_t>(moments_.groups), k = static_cast<size_t>(rows_.k);
    for (size_t i = 0; i < levels.size(); ++i) {
      const size_t at = i / group_size * k + i % k, c = Channel(i);
      shift[c] += static_cast<double>(rows_.weights[i]) * reference_mean[at] -
                  static_cast<double>(scales[c]) * levels[i] * moments_.mean[at];
    }
    return {shift.begin(), shift.end()};
  }

  OpKind kind_;
  const WeightRows& rows_;
  const InputMoments& moments_;
  int bits_;
  const RoundWeightsSettings& settings_;
};

int BitsBySettings(const Op& op, const SettingsTable* table) {
  if (table == nullptr) return 8;
  const QuantizeSettings& settings = table->For(SubgraphId(0), op);
  const Scheme scheme = settings.scheme.value_or(Scheme::kNone);
  if (scheme == Scheme::kNone || scheme == Scheme::kFloat16) return 0;
  if (settings.weights.granularity.value_or("channel") != "channel") return 0;
  const int bits = settings.weights.bits.value_or(8);
  return op.kind == OpKind::kDepthwiseConv2d ? 8 : bits;
}

bool Fits(const InputMoments& moments, const WeightRows& rows) {
  const auto groups = static_cast<size_t>(moments.groups), k = static_cast<size_t>(moments.k);
  return moments.k == rows.k && moments.groups > 0 && rows.channels % moments.groups == 0 &&
         moments.mean.size() == groups * k && (moments.second.empty() || moments.second.size() == groups * k * k);
}

// Nullopt: the operator is left out.
std::optional<WeightRows> RowsToRound(const Model& model, OpId id, const RoundWeightsSettings& settings, int* bits) {
  const Op& op = model.subgraphs[0].ops[id.index()];
  *bits = settings.bits ? settings.bits(id) : BitsBySettings(op, settings.settings);
  if (*bits < 2 || *bits > 8 || !WhyNoIntegerWeights(model, model.subgraphs[0], op).empty()) return std::nullopt;
  return ReadWeightRows(model, op);
}

// W' of the refit: H W'^T = C^T W^T for each group.
absl::StatusOr<std::vector<float>> RefitRows(const WeightRows& rows, const JointMoments& joint, double damping,
                                             bool bias_corrected) {
  const InputMoments& moments = joint.quantized;
  const auto k = static_cast<size_t>(rows.k), groups = static_cast<size_t>(moments.groups);
  const size_t size = rows.weights.size() / groups;
  std::vector<float> target;
  for (size_t g = 0; g < groups; ++g) {
    std::vector<float> cross(joint.cross.begin() + static_cast<std::ptrdiff_t>(g * k * k),
                             joint.cross.begin() + static_cast<std::ptrdiff_t>((g + 1) * k * k));
    for (size_t i = 0; bias_corrected && i < k * k; ++i) {
      cross[i] -= joint.reference.mean[g * k + i / k] * moments.mean[g * k + i % k];
    }
    const std::vector<float> h =
        math::ConditionMoments(absl::MakeConstSpan(moments.second).subspan(g * k * k, k * k),
                               absl::MakeConstSpan(moments.mean).subspan(g * k, k), bias_corrected, 0);
    const absl::Span<const float> weights = absl::MakeConstSpan(rows.weights).subspan(g * size, size);
    const absl::StatusOr<std::vector<float>> refitted = math::RefitWeights(weights, rows.k, cross, h, damping);
    // Inputs that never vary (all zero in the samples) leave nothing to fit.
    if (refitted.ok()) {
      target.insert(target.end(), refitted->begin(), refitted->end());
    } else {
      target.insert(target.end(), weights.begin(), weights.end());
    }
  }
  return target;
}

}  // namespace

absl::StatusOr<WeightChoices> RoundWeights(const Model& model, const MomentTable& moments,
                                           const RoundWeightsSettings& settings) {
  WeightChoices choices;
  for (const auto& [id, its] : moments) {
    LATHE_RETURN_IF_ERROR(settings.cancel.Check());
    int bits = 0;
    const std::optional<WeightRows> rows = RowsToRound(model, id, settings, &bits);
    if (!rows || !Fits(its, *rows)) continue;
    const OpKind kind = model.subgraphs[0].ops[id.index()].kind;
    LATHE_ASSIGN_OR_RETURN(ChosenWeights chosen,
                           OperatorRounding(kind, *rows, its, bits, settings).Round(rows->weights, its.mean));
    choices.emplace(id, std::move(chosen));
  }
  return choices;
}

absl::StatusOr<WeightChoices> RoundWeights(const Model& model, const JointMomentTable& moments, double refit_damping,
                                           const RoundWeightsSettings& settings) {
  WeightChoices choices;
  for (const auto& [id, joint] : moments) {
    LATHE_RETURN_IF_ERROR(settings.cancel.Check());
    int bits = 0;
    const std::optional<WeightRows> rows = RowsToRound(model, id, settings, &bits);
    if (!rows || !Fits(joint.quantized, *rows) || !Fits(joint.reference, *rows)) continue;
    std::vector<float> target = rows->weights;
    if (joint.cross.size() == joint.quantized.second.size() && !joint.cross.empty()) {
      LATHE_ASSIGN_OR_RETURN(target, RefitRows(*rows, joint, refit_damping, settings.correct_bias));
    }
    const OpKind kind = model.subgraphs[0].ops[id.index()].kind;
    LATHE_ASSIGN_OR_RETURN(
        ChosenWeights chosen,
        OperatorRounding(kind, *rows, joint.quantized, bits, settings).Round(target, joint.reference.mean));
    choices.emplace(id, std::move(chosen));
  }
  return choices;
}

std::map<OpId, std::vector<float>> FindBiasShifts(const Model& reference, const Model& quantized,
                                                  const std::vector<std::pair<OpId, OpId>>& pairs,
                                                  const JointMomentTable& means) {
  const auto outputs = [](const WeightRows& rows, const InputMoments& moments) {
    std::vector<double> sums(rows.bias.begin(), rows.bias.end());
    const auto k = static_cast<size_t>(rows.k);
    const size_t group_size = rows.weights.size() / static_cast<size_t>(moments.groups);
    for (size_t i = 0; i < rows.weights.size(); ++i) {
      sums[i / k] += static_cast<double>(rows.weights[i]) * moments.mean[i / group_size * k + i % k];
    }
    return sums;
  };
  std::map<OpId, std::vector<float>> shifts;
  for (const auto& [id, quantized_id] : pairs) {
    const auto found = means.find(id);
    if (found == means.end()) continue;
    const auto wanted = ReadWeightRows(reference, reference.subgraphs[0].ops[id.index()]);
    const auto got = ReadWeightRows(quantized, quantized.subgraphs[0].ops[quantized_id.index()]);
    if (!wanted || !got || wanted->channels != got->channels) continue;
    if (!Fits(found->second.reference, *wanted) || !Fits(found->second.quantized, *got)) continue;
    const std::vector<double> from = outputs(*got, found->second.quantized);
    const std::vector<double> to = outputs(*wanted, found->second.reference);
    std::vector<float>& shift = shifts[id];
    for (size_t c = 0; c < to.size(); ++c) shift.push_back(static_cast<float>(to[c] - from[c]));
  }
  return shifts;
}

void AddBiasShifts(const std::map<OpId, std::vector<float>>& shifts, WeightChoices& choices) {
  for (const auto& [id, shift] : shifts) {
    std::vector<float>& sum = choices[id].bias_shift;
    sum.resize(shift.size(), 0.0f);
    for (size_t c = 0; c < shift.size(); ++c) sum[c] += shift[c];
  }
}

}  // namespace lathe
