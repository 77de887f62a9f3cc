#include "executor/operator_fallback.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "executor/output_score.h"
#include "optimizer/passes/scale_groups.h"

namespace lathe {
namespace {

// Of the noise that the target allows, what the sum of single operators may predict: sums miss some interaction.
constexpr double kPredictedShare = 0.8;

// Operators that the settings make integer.
std::vector<int32_t> IntegerOperators(const Model& model, const SettingsTable& settings) {
  std::vector<int32_t> origins;
  for (const Op& op : model.subgraphs[0].ops) {
    if (op.origin >= 0 && settings.For(SubgraphId(0), op).scheme == Scheme::kFullInteger) origins.push_back(op.origin);
  }
  return origins;
}

QuantizeSettings Float() {
  QuantizeSettings settings;
  settings.scheme = Scheme::kNone;
  return settings;
}

QuantizeSettings Wider(const Recipe& recipe) {
  QuantizeSettings settings = recipe.quantize;
  settings.activations.bits = 16;
  return settings;
}

// Finds the fewest operators, taken in one order, that reach the target in a wider type.
class Chain {
 public:
  Chain(const FallbackInputs& inputs, const SettingsTable& settings, const std::vector<OperatorNoise>& noise)
      : inputs_(inputs), settings_(settings) {
    const std::vector<int32_t> integer = IntegerOperators(inputs.candidate.model, settings);
    for (const OperatorNoise& row : noise) {
      // Rules may bring schemes that have nothing wider.
      if (std::find(integer.begin(), integer.end(), row.origin) != integer.end()) noise_.push_back(row);
    }
    std::stable_sort(noise_.begin(), noise_.end(),
                     [](const OperatorNoise& a, const OperatorNoise& b) { return a.excess > b.excess; });
    for (const OperatorNoise& row : noise_) order_.push_back(row.origin);
  }

  absl::StatusOr<Fallback> Find() {
    LATHE_ASSIGN_OR_RETURN(const std::optional<size_t> wide, Fewest([](size_t n) { return Taken{n, 0}; }));
    if (wide) return Result({*wide, 0});
    const size_t all = order_.size();
    LATHE_ASSIGN_OR_RETURN(const std::optional<size_t> floats, Fewest([all](size_t n) { return Taken{all, n}; }));
    if (floats) return Result({all, *floats});
    if (!inputs_.target.is_strict())
      return Fallback{.settings = settings_, .reasons = {}, .stages = std::move(stages_)};
    return MakeError(absl::StatusCode::kFailedPrecondition, "MIN_SQNR_UNREACHABLE",
                     absl::StrFormat("%s can only be reached with every operator in float; lower --min-sqnr, or "
                                     "choose another preset",
                                     inputs_.target.Text()));
  }

 private:
  // So many of the noisiest operators in int16x8, of which so many in float.
  struct Taken {
    size_t wide, floats;
  };

  // Prediction first, then growth by half until it holds, then bisection down to the fewest.
  template <typename MakeTaken>
  absl::StatusOr<std::optional<size_t>> Fewest(const MakeTaken& taken) {
    size_t fails = 0, count = std::min(order_.size(), std::max<size_t>(Predicted(), 1));
    for (;; count = std::min(order_.size(), count + std::max<size_t>(1, count / 2))) {
      LATHE_ASSIGN_OR_RETURN(const bool holds, Holds(taken(count)));
      if (holds) break;
      fails = count;
      if (count >= order_.size()) return std::optional<size_t>();
    }
    while (count - fails > 1) {
      const size_t middle = fails + (count - fails) / 2;
      LATHE_ASSIGN_OR_RETURN(const bool holds, Holds(taken(middle)));
      (holds ? count : fails) = middle;
    }
    return std::optional<size_t>(count);
  }

  size_t Predicted() const {
    double rest = 0;
    for (const OperatorNoise& row : noise_) rest += row.excess;
    size_t count = 0;
    while (count < noise_.size() && rest > kPredictedShare) rest -= noise_[count++].excess;
    return count;
  }

  absl::StatusOr<bool> Holds(Taken taken) {
    LATHE_RETURN_IF_ERROR(inputs_.cancel.Check());
    const auto started = std::chrono::steady_clock::now();
    LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized, Quantize(inputs_.candidate, inputs_.passes, inputs_.recipe,
                                                                    Settings(taken), inputs_.cancel));
    if (!quantized.changed()) return false;  // that is the float model
    LATHE_ASSIGN_OR_RETURN(const HeldBackErrors found, inputs_.held_back.Measure(quantized.model));
    const bool holds = inputs_.target.Excess(found.errors) <= 1;
    StageReport& stage = stages_.emplace_back();
    stage.stage = "fallback";
    stage.setting = Setting(taken);
    stage.bytes = found.bytes;
    stage.sqnr_after_db = NoiseDb(WorstNoise(found.errors));
    stage.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    stage.reason = (holds ? "reaches " : "does not reach ") + inputs_.target.Text();
    return holds;
  }

  std::string Setting(Taken taken) const {
    std::string text = absl::StrFormat("%d of %d operators in int16x8", taken.wide - taken.floats, order_.size());
    if (taken.floats > 0) text += absl::StrFormat(", %d in float32", taken.floats);
    return text;
  }

  SettingsTable Settings(Taken taken) const {
    SettingsTable settings = settings_;
    const absl::Span<const int32_t> order = order_;
    settings.Override(order.first(taken.wide), Wider(inputs_.recipe));
    settings.Override(order.first(taken.floats), Float());
    return settings;
  }

  Fallback Result(Taken taken) {
    Fallback result{.settings = Settings(taken), .reasons = {}, .stages = std::move(stages_)};
    for (size_t i = 0; i < taken.wide; ++i) {
      result.reasons[order_[i]] =
          absl::StrFormat("%s to reach %s: alone in int8 it leaves %.1f dB", i < taken.floats ? "float32" : "int16x8",
                          inputs_.target.Text(), NoiseDb(noise_[i].noise));
    }
    for (StageReport& stage : result.stages) stage.kept = stage.setting == Setting(taken);
    return result;
  }

  const FallbackInputs& inputs_;
  const SettingsTable& settings_;
  std::vector<OperatorNoise> noise_;
  std::vector<int32_t> order_;
  std::vector<StageReport> stages_;
};

}  // namespace

absl::StatusOr<std::vector<OperatorNoise>> MeasureSensitivity(const FallbackInputs& inputs,
                                                              const SettingsTable& settings) {
  std::vector<std::pair<int32_t, QuantizeSettings>> quantized_operators;
  std::vector<int32_t> origins;
  const Subgraph& graph = inputs.candidate.model.subgraphs[0];
  std::vector<OpId> float_sums;  // float with the others, integer if they alone are quantized
  ChooseWidths(inputs.candidate.model, &settings, inputs.recipe.quantize, &float_sums);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const QuantizeSettings& own = settings.For(SubgraphId(0), op);
    if (op.origin < 0 || own.scheme.value_or(Scheme::kNone) == Scheme::kNone) continue;
    origins.push_back(op.origin);
    if (std::count(float_sums.begin(), float_sums.end(), OpId(i)) == 0) {
      quantized_operators.emplace_back(op.origin, own);
    }
  }
  SettingsTable nothing = settings;
  nothing.Override(origins, Float());
  std::vector<OperatorNoise> found;
  for (const auto& [origin, own] : quantized_operators) {
    LATHE_RETURN_IF_ERROR(inputs.cancel.Check());
    SettingsTable only = nothing;
    only.Override({origin}, own);
    LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized,
                           Quantize(inputs.candidate, inputs.passes, inputs.recipe, only, inputs.cancel));
    if (!quantized.changed()) continue;  // stays float whatever the settings say
    LATHE_ASSIGN_OR_RETURN(const HeldBackErrors measured, inputs.held_back.Measure(quantized.model));
    found.push_back({origin, WorstNoise(measured.errors), inputs.target.Excess(measured.errors)});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const OperatorNoise& a, const OperatorNoise& b) { return a.noise > b.noise; });
  return found;
}

absl::StatusOr<Fallback> FindFallback(const FallbackInputs& inputs, const SettingsTable& settings,
                                      const std::vector<OperatorNoise>& noise) {
  return Chain(inputs, settings, noise).Find();
}

}  // namespace lathe
