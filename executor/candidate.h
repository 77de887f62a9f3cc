#ifndef LATHE_EXECUTOR_CANDIDATE_H_
#define LATHE_EXECUTOR_CANDIDATE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/passes/sample_ranges.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/passes/weight_choices.h"
#include "optimizer/report/report.h"

namespace lathe {

// One way to quantize a model: the float model, perhaps rewritten to quantize better, with what was chosen for it.
// Copies are cheap: constants are shared until a pass rewrites them.
struct Candidate {
  Model model;
  ActivationStats stats;                  // of subgraph 0 of `model`; empty when nothing was calibrated
  std::optional<SampleRanges> by_sample;  // of the same; absent: `model` was rewritten since
  RangeTable ranges;                      // what each activation is quantized to
  WeightChoices weights;                  // by operator of subgraph 0 of `model`
};

struct QuantizedModel {
  Model model;
  std::vector<PlanStep> steps;  // one for each pass
  std::vector<std::string> warnings;
  std::map<int32_t, std::string> reasons;  // by Op::origin: what passes did otherwise than asked

  bool changed() const;  // by a pass that quantizes
};

// Whether the pass of that name quantizes; others clean up before or after.
bool IsQuantizing(const std::string& pass);

// Runs `passes` in order on a copy of the candidate's model; the settings decide which pass takes which operator.
// Errors as RunPass and MakePass.
absl::StatusOr<QuantizedModel> Quantize(const Candidate& candidate, const std::vector<std::string>& passes,
                                        const Recipe& recipe, const SettingsTable& settings, const CancelToken& cancel);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_CANDIDATE_H_
