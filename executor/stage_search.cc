#include "executor/stage_search.h"

#include <chrono>
#include <utility>

#include "optimizer/passes/equalize.h"

namespace lathe {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

}  // namespace

absl::Status StageSearch::Run() {
  LATHE_ASSIGN_OR_RETURN(score_, Measure(best_));
  LATHE_RETURN_IF_ERROR(TryEqualization());
  return absl::OkStatus();
}

absl::Status StageSearch::TryEqualization() {
  const Correction wanted = inputs_.recipe.correct.equalization.value_or(Correction::kBest);
  if (wanted == Correction::kOff) return absl::OkStatus();
  struct Variant {
    const char* name;
    EqualizeSettings settings;
    bool best_only;
  };
  // Alpha from algorithms tried on trained models; .65 rarely differs from both neighbours.
  static const Variant kVariants[] = {
      {"cross-layer", {.cross_layer = true, .alpha = std::nullopt}, false},
      {"cross-layer, then alpha 0.5", {.cross_layer = true, .alpha = 0.5f}, false},
      {"cross-layer, then alpha 0.65", {.cross_layer = true, .alpha = 0.65f}, true},
      {"cross-layer, then alpha 0.8", {.cross_layer = true, .alpha = 0.8f}, false},
  };
  const Candidate base = best_;
  for (const Variant& variant : kVariants) {
    if (variant.settings.alpha && !inputs_.has_stats) continue;
    if (variant.best_only && inputs_.recipe.effort != Effort::kBest) continue;
    Candidate candidate = base;
    LATHE_ASSIGN_OR_RETURN(const Equalization equalized,
                           Equalize(candidate.model, inputs_.has_stats ? &candidate.stats : nullptr, variant.settings));
    if (equalized.scaled_tensors == 0) continue;
    ApplyToStats(equalized, candidate.stats);
    candidate.ranges = candidate.stats.Ranges();
    LATHE_RETURN_IF_ERROR(Try("equalization", variant.name, std::move(candidate)));
  }
  return absl::OkStatus();
}

absl::StatusOr<OutputScore> StageSearch::Measure(const Candidate& candidate) {
  LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized,
                         Quantize(candidate, inputs_.passes, inputs_.recipe, inputs_.settings, inputs_.cancel));
  LATHE_ASSIGN_OR_RETURN(const auto errors, inputs_.held_back.Measure(quantized.model));
  return ScoreOutputs(errors);
}

absl::Status StageSearch::Try(const std::string& stage, const std::string& setting, Candidate candidate) {
  const auto started = std::chrono::steady_clock::now();
  LATHE_RETURN_IF_ERROR(inputs_.cancel.Check());
  LATHE_ASSIGN_OR_RETURN(const OutputScore score, Measure(candidate));
  StageReport& report = stages_.emplace_back();
  report.stage = stage;
  report.setting = setting;
  report.sqnr_before_db = score_.least_db;
  report.sqnr_after_db = score.least_db;
  report.kept = IsBetter(score, score_);
  report.seconds = SecondsSince(started);
  if (!report.kept) return absl::OkStatus();
  best_ = std::move(candidate);
  score_ = score;
  return absl::OkStatus();
}

}  // namespace lathe
