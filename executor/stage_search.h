#ifndef LATHE_EXECUTOR_STAGE_SEARCH_H_
#define LATHE_EXECUTOR_STAGE_SEARCH_H_

#include <string>
#include <vector>

#include "executor/candidate.h"
#include "executor/output_score.h"
#include "optimizer/passes/choose_ranges.h"
#include "optimizer/passes/histogram_table.h"
#include "optimizer/passes/round_weights.h"
#include "optimizer/recipe/recipe.h"
#include "runtime/collect_moments.h"
#include "runtime/held_back.h"
#include "runtime/observe.h"
#include "runtime/samples.h"

namespace lathe {

// Corrections without training, tried one after the other on the float model: each is kept only if the error of the
// quantized result on held-back samples falls. What is tried depends on the recipe's effort and `correct` settings
// (docs/recipes.md). The outcome depends on the samples alone, never on time or threads.
class StageSearch {
 public:
  struct Inputs {
    const Recipe& recipe;  // resolved
    const SettingsTable& settings;
    std::vector<std::string> passes;  // those that quantize, in order
    HeldBack& held_back;
    SampleSource& calibration;
    bool calibrated = false;  // false: no ranges, so only what needs none is tried
    int threads = 1;
    uint64_t memory_bytes = 0;
    const MappedFile* input_file = nullptr;  // that constants of the model are views of
    std::string scratch_dir;
    CancelToken cancel;
  };

  StageSearch(Inputs inputs, Candidate start) : inputs_(std::move(inputs)), best_(std::move(start)) {}

  // REQUIRES: called once. Errors as the passes', Interpreter's and SampleSource's.
  absl::Status Run();

  Candidate& best() { return best_; }
  // Everything that was tried, in order.
  std::vector<StageReport>& stages() { return stages_; }
  // How the ranges of best() were chosen, group by group; empty: all by minimum and maximum.
  const std::vector<RangeChoice>& ranges() const { return ranges_; }
  // Of the tensors of best() that its ranges treat worst; empty: no values were counted.
  const HistogramTable& histograms() const { return histograms_; }

 private:
  absl::Status TryEqualization();
  absl::Status TryBiasAbsorption();
  absl::Status TryRanges();
  absl::Status TryRounding();
  // Rounds again, for the inputs that the quantized model really sees.
  absl::Status TrySequentialTarget(const RoundWeightsSettings& settings);
  absl::Status TryBiasCorrection();
  // Measures the candidate and makes it the best one if it is better, or asked for: true.
  absl::StatusOr<bool> Try(const std::string& stage, const std::string& setting, Candidate candidate,
                           bool asked_for = false);
  // Goes on after the first samples unless the candidate is clearly worse than best() on those; always when
  // `to_the_end`, and with effort best.
  absl::StatusOr<HeldBackErrors> Measure(const Candidate& candidate, bool to_the_end);
  absl::StatusOr<QuantizedModel> QuantizeBest();
  absl::StatusOr<SampleRanges> SampleRangesOfBest(const std::vector<TensorId>& tensors);

  bool thorough() const { return inputs_.recipe.effort == Effort::kBest; }
  CollectMomentsOptions MomentOptions() const;
  void SetRunOptions(ObserveOptions& options) const;

  const Inputs inputs_;
  Candidate best_;
  OutputScore score_, first_score_;  // of best_, on all samples and on the first few
  uint64_t bytes_ = 0;               // of its file
  std::vector<StageReport> stages_;
  std::vector<RangeChoice> ranges_;
  HistogramTable histograms_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_STAGE_SEARCH_H_
