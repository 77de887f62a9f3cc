#include "executor/quantization_choice.h"

#include <algorithm>
#include <utility>

#include "executor/operator_fallback.h"
#include "executor/output_score.h"
#include "executor/stage_search.h"
#include "optimizer/passes/operator_precision.h"
#include "optimizer/passes/registry.h"
#include "runtime/calibrate.h"

namespace lathe {
namespace {

class Chooser {
 public:
  Chooser(Model model, SettingsTable settings, const ChoiceInputs& inputs) : inputs_(inputs) {
    choice_.candidate.model = std::move(model);
    choice_.settings = std::move(settings);
  }

  absl::StatusOr<QuantizationChoice> Choose() {
    LATHE_ASSIGN_OR_RETURN(const bool needs_ranges, NeedsRanges());
    if (needs_ranges) LATHE_RETURN_IF_ERROR(CalibrateModel());
    const bool wants_decisions = inputs_.sensitivity || inputs_.recipe.min_sqnr_db.has_value();
    if (inputs_.held_back == nullptr) {
      if (wants_decisions) return NeedsSamples();
      return std::move(choice_);
    }
    LATHE_RETURN_IF_ERROR(Search());
    if (wants_decisions) LATHE_RETURN_IF_ERROR(Decide());
    return std::move(choice_);
  }

 private:
  absl::StatusOr<bool> NeedsRanges() const {
    for (const std::string& name : inputs_.passes) {
      LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<Pass> pass, MakePass(name, inputs_.recipe));
      if (pass->NeedsRanges()) return true;
    }
    return false;
  }

  static absl::Status NeedsSamples() {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NEEDS_SAMPLES",
                     "--min-sqnr and --sensitivity decide by samples that are held back: give at least 16 with "
                     "--calibration");
  }

  absl::Status CalibrateModel() {
    inputs_.begin("calibrate");
    const Subgraph& graph = choice_.candidate.model.subgraphs[0];
    std::vector<TensorId> tensors;
    for (size_t i = 0; i < graph.tensors.size(); ++i) tensors.push_back(TensorId(i));
    CalibrateOptions options;
    options.threads = inputs_.threads;
    if (inputs_.memory_bytes > 0) options.memory_bytes = inputs_.memory_bytes;
    options.input = inputs_.input_file;
    options.cancel = inputs_.cancel;
    options.progress = inputs_.samples_done;
    options.scratch_dir = inputs_.scratch_dir;
    options.channels = inputs_.held_back != nullptr;  // for equalization only
    LATHE_ASSIGN_OR_RETURN(Calibration seen, Calibrate(choice_.candidate.model, tensors, inputs_.calibration, options));
    choice_.candidate.ranges = seen.stats.Ranges();
    choice_.candidate.stats = std::move(seen.stats);
    choice_.calibration.samples = inputs_.calibration.size();
    if (inputs_.held_back != nullptr) choice_.calibration.held_back = inputs_.held_back->samples().size();
    return absl::OkStatus();
  }

  absl::Status Search() {
    if (inputs_.recipe.effort.value_or(Effort::kBalanced) == Effort::kFast) return absl::OkStatus();
    inputs_.begin("choose");
    StageSearch search({.recipe = inputs_.recipe,
                        .settings = choice_.settings,
                        .passes = inputs_.passes,
                        .held_back = *inputs_.held_back,
                        .calibration = inputs_.calibration,
                        .has_stats = choice_.calibration.samples > 0,
                        .threads = inputs_.threads,
                        .memory_bytes = inputs_.memory_bytes,
                        .scratch_dir = inputs_.scratch_dir,
                        .cancel = inputs_.cancel},
                       std::move(choice_.candidate));
    LATHE_RETURN_IF_ERROR(search.Run());
    choice_.candidate = std::move(search.best());
    choice_.stages = std::move(search.stages());
    return absl::OkStatus();
  }

  // Sensitivity, and fallback by it where the result is not good enough as it is.
  absl::Status Decide() {
    inputs_.begin("sensitivity");
    const FallbackInputs inputs{.candidate = choice_.candidate,
                                .recipe = inputs_.recipe,
                                .passes = inputs_.passes,
                                .held_back = *inputs_.held_back,
                                .cancel = inputs_.cancel};
    if (!inputs_.sensitivity) {
      LATHE_ASSIGN_OR_RETURN(const bool good, MeetsTarget());
      if (good) return absl::OkStatus();
    }
    LATHE_ASSIGN_OR_RETURN(const std::vector<OperatorNoise> noise, MeasureSensitivity(inputs, choice_.settings));
    if (inputs_.sensitivity) ReportSensitivity(noise);
    if (!inputs_.recipe.min_sqnr_db) return absl::OkStatus();
    LATHE_ASSIGN_OR_RETURN(const bool good, MeetsTarget());
    if (good) return absl::OkStatus();
    inputs_.begin("fallback");
    LATHE_ASSIGN_OR_RETURN(Fallback fallback, FindFallback(inputs, choice_.settings, noise));
    choice_.settings = std::move(fallback.settings);
    choice_.fallback_reasons = std::move(fallback.reasons);
    std::move(fallback.stages.begin(), fallback.stages.end(), std::back_inserter(choice_.stages));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> MeetsTarget() const {
    LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized, Quantize(choice_.candidate, inputs_.passes, inputs_.recipe,
                                                                    choice_.settings, inputs_.cancel));
    LATHE_ASSIGN_OR_RETURN(const auto errors, inputs_.held_back->Measure(quantized.model));
    return NoiseDb(WorstNoise(errors)) >= *inputs_.recipe.min_sqnr_db;
  }

  void ReportSensitivity(const std::vector<OperatorNoise>& noise) {
    const Subgraph& graph = choice_.candidate.model.subgraphs[0];
    for (const OperatorNoise& row : noise) {
      const auto op = std::find_if(graph.ops.begin(), graph.ops.end(),
                                   [&](const Op& candidate) { return candidate.origin == row.origin; });
      SensitivityReport& report = choice_.sensitivity.emplace_back();
      report.index = row.origin;
      report.kind = KindLabel(*op);
      if (!op->outputs.empty()) report.name = graph.tensor(op->outputs[0]).name;
      report.alone_sqnr_db = NoiseDb(row.noise);
    }
  }

  const ChoiceInputs& inputs_;
  QuantizationChoice choice_;
};

}  // namespace

absl::StatusOr<QuantizationChoice> ChooseQuantization(Model model, SettingsTable settings, const ChoiceInputs& inputs) {
  return Chooser(std::move(model), std::move(settings), inputs).Choose();
}

}  // namespace lathe
