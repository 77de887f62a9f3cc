#ifndef LATHE_EXECUTOR_STAGE_SEARCH_H_
#define LATHE_EXECUTOR_STAGE_SEARCH_H_

#include <string>
#include <vector>

#include "executor/candidate.h"
#include "executor/output_score.h"
#include "optimizer/recipe/recipe.h"
#include "runtime/held_back.h"
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
    bool has_stats = false;  // the start was calibrated
    int threads = 1;
    uint64_t memory_bytes = 0;
    std::string scratch_dir;
    CancelToken cancel;
  };

  StageSearch(Inputs inputs, Candidate start) : inputs_(std::move(inputs)), best_(std::move(start)) {}

  // REQUIRES: called once. Errors as the passes', Interpreter's and SampleSource's.
  absl::Status Run();

  Candidate& best() { return best_; }
  // Everything that was tried, in order.
  std::vector<StageReport>& stages() { return stages_; }

 private:
  absl::Status TryEqualization();
  absl::Status TryRanges();
  absl::Status TryRounding();
  absl::Status TryBiasCorrection();
  // Measures the candidate and makes it the best one if it is better.
  absl::Status Try(const std::string& stage, const std::string& setting, Candidate candidate);
  absl::StatusOr<OutputScore> Measure(const Candidate& candidate);

  const Inputs inputs_;
  Candidate best_;
  OutputScore score_;  // of best_
  std::vector<StageReport> stages_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_STAGE_SEARCH_H_
