#include "executor/quantization_choice.h"

#include <algorithm>
#include <utility>

#include "executor/operator_fallback.h"
#include "executor/output_score.h"
#include "executor/stage_search.h"
#include "optimizer/passes/calibration_notes.h"
#include "optimizer/passes/clipping_histograms.h"
#include "optimizer/passes/integer_parameters.h"
#include "optimizer/passes/operator_precision.h"
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
    if (inputs_.calibrate) LATHE_RETURN_IF_ERROR(CalibrateModel());
    const bool wants_decisions = inputs_.sensitivity || !inputs_.target.empty();
    if (inputs_.held_back == nullptr) {
      if (inputs_.sensitivity || inputs_.target.is_strict()) return NeedsSamples();
      return std::move(choice_);
    }
    LATHE_RETURN_IF_ERROR(Search());
    if (wants_decisions) LATHE_RETURN_IF_ERROR(Decide());
    ReportClipping();
    return std::move(choice_);
  }

 private:
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
    options.run_only = inputs_.held_back_indices;
    if (inputs_.answering != nullptr) AnswerMeanwhile(options);
    SampleSource& samples = inputs_.all != nullptr ? *inputs_.all : inputs_.calibration;
    LATHE_ASSIGN_OR_RETURN(Calibration seen, Calibrate(choice_.candidate.model, tensors, samples, options));
    CalibrationNotes notes = ExamineCalibration(choice_.candidate.model, seen.stats, seen.by_sample);
    choice_.calibration.notable_samples = std::move(notes.samples);
    choice_.calibration.degenerate_tensors = std::move(notes.tensors);
    choice_.warnings = std::move(notes.warnings);
    choice_.candidate.ranges = seen.stats.Ranges();
    choice_.candidate.stats = std::move(seen.stats);
    choice_.candidate.by_sample = std::move(seen.by_sample);
    choice_.calibration.samples = inputs_.calibration.size();
    return absl::OkStatus();
  }

  void AnswerMeanwhile(CalibrateOptions& options) const {
    options.after_run = [this](const Sample& sample, const Interpreter& interpreter) {
      const std::vector<size_t>& held_back = inputs_.held_back_indices;
      if (std::binary_search(held_back.begin(), held_back.end(), sample.index)) {
        inputs_.answering->Answer(sample, interpreter);
      }
    };
  }

  absl::Status Search() {
    if (!TriesCorrections(inputs_.recipe)) return absl::OkStatus();
    inputs_.begin("choose");
    StageSearch search({.recipe = inputs_.recipe,
                        .settings = choice_.settings,
                        .passes = inputs_.passes,
                        .held_back = *inputs_.held_back,
                        .calibration = inputs_.calibration,
                        .calibrated = inputs_.calibrate,
                        .threads = inputs_.threads,
                        .memory_bytes = inputs_.memory_bytes,
                        .input_file = inputs_.input_file,
                        .scratch_dir = inputs_.scratch_dir,
                        .cancel = inputs_.cancel},
                       std::move(choice_.candidate));
    LATHE_RETURN_IF_ERROR(search.Run());
    choice_.candidate = std::move(search.best());
    choice_.stages = std::move(search.stages());
    histograms_ = search.histograms();
    ReportRanges(search.ranges());
    return absl::OkStatus();
  }

  void ReportRanges(const std::vector<RangeChoice>& choices) {
    const Subgraph& graph = choice_.candidate.model.subgraphs[0];
    for (size_t group = 0; group < choices.size(); ++group) {
      const RangeChoice& choice = choices[group];
      const bool shared = choice.tensors.size() > 1;
      if (choice.algorithm == RangeAlgorithm::kMinMax && !shared) continue;
      for (TensorId id : choice.tensors) {
        RangeReport& row = choice_.calibration.ranges.emplace_back();
        row.name = graph.tensor(id).name;
        row.algorithm = RangeAlgorithmName(choice.algorithm);
        row.min = choice.seen.min;
        row.max = choice.seen.max;
        row.chosen_min = choice.chosen.min;
        row.chosen_max = choice.chosen.max;
        if (shared) row.group = static_cast<int>(group);
      }
    }
  }

  // Sensitivity, and fallback by it where the result is not good enough as it is.
  absl::Status Decide() {
    inputs_.begin("sensitivity");
    const FallbackInputs inputs{.candidate = choice_.candidate,
                                .recipe = inputs_.recipe,
                                .passes = inputs_.passes,
                                .held_back = *inputs_.held_back,
                                .target = inputs_.target,
                                .cancel = inputs_.cancel};
    if (!inputs_.sensitivity) {
      LATHE_ASSIGN_OR_RETURN(const bool good, MeetsTarget());
      if (good) return absl::OkStatus();
    }
    LATHE_ASSIGN_OR_RETURN(const std::vector<OperatorNoise> noise, MeasureSensitivity(inputs, choice_.settings));
    if (inputs_.sensitivity) ReportSensitivity(noise);
    if (inputs_.target.empty()) return absl::OkStatus();
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
    LATHE_ASSIGN_OR_RETURN(const auto found, inputs_.held_back->Measure(quantized.model));
    return inputs_.target.Excess(found.errors) <= 1;
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

  // With the parameters that the file will have: fallback decided which tensors are int8 at all.
  void ReportClipping() {
    if (histograms_.size() == 0) return;
    const Candidate& candidate = choice_.candidate;
    const IntegerPlan plan = PlanIntegers({.model = candidate.model,
                                           .ranges = candidate.ranges,
                                           .table = &choice_.settings,
                                           .settings = inputs_.recipe.quantize,
                                           .weights = &candidate.weights});
    choice_.calibration.histograms = DescribeClipping(candidate.model, histograms_, plan);
  }

  const ChoiceInputs& inputs_;
  QuantizationChoice choice_;
  HistogramTable histograms_;  // of the worst tensors; empty: no values were counted
};

}  // namespace

bool TriesCorrections(const Recipe& recipe) {
  const auto on = [](const std::optional<Correction>& setting) {
    return setting.value_or(Correction::kOff) != Correction::kOff;
  };
  return on(recipe.correct.equalization) || on(recipe.correct.rounding) || on(recipe.correct.bias) ||
         recipe.quantize.activations.ranges.value_or("min-max") != "min-max";
}

absl::StatusOr<QuantizationChoice> ChooseQuantization(Model model, SettingsTable settings, const ChoiceInputs& inputs) {
  return Chooser(std::move(model), std::move(settings), inputs).Choose();
}

}  // namespace lathe
