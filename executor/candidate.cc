#include "executor/candidate.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "optimizer/passes/registry.h"
#include "optimizer/recipe/validate.h"

namespace lathe {
namespace {

// Choices are made for the float model; a pass before may have moved its operators.
WeightChoices FollowOperators(const WeightChoices& choices, const Subgraph& from, const Subgraph& to) {
  std::map<int32_t, const ChosenWeights*> by_origin;
  for (const auto& [op, chosen] : choices) by_origin[from.ops[op.index()].origin] = &chosen;
  WeightChoices moved;
  for (size_t i = 0; i < to.ops.size(); ++i) {
    const auto found = to.ops[i].origin < 0 ? by_origin.end() : by_origin.find(to.ops[i].origin);
    if (found != by_origin.end()) moved[OpId(i)] = *found->second;
  }
  return moved;
}

}  // namespace

bool QuantizedModel::changed() const {
  return std::any_of(steps.begin(), steps.end(),
                     [](const PlanStep& step) { return step.changed > 0 && IsQuantizing(step.pass); });
}

bool IsQuantizing(const std::string& pass) { return pass.rfind("quantize-", 0) == 0; }

absl::StatusOr<QuantizedModel> Quantize(const Candidate& candidate, const std::vector<std::string>& passes,
                                        const Recipe& recipe, const SettingsTable& settings,
                                        const CancelToken& cancel) {
  QuantizedModel result;
  result.model = candidate.model;
  for (const std::string& name : passes) {
    LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<Pass> pass, MakePass(name, recipe));
    PassContext context;
    context.settings = &settings;
    context.cancel = cancel;
    const bool moved = !result.steps.empty();
    const WeightChoices weights =
        moved ? FollowOperators(candidate.weights, candidate.model.subgraphs[0], result.model.subgraphs[0])
              : candidate.weights;
    context.weights = &weights;
    // Ranges are those of the float model: only the first pass may ask for them.
    if (pass->NeedsRanges()) context.ranges = &candidate.ranges;
    LATHE_ASSIGN_OR_RETURN(Change change, RunPass(*pass, result.model, context));
    result.steps.push_back({name, PassDescription(name), change.count});
    result.reasons.merge(change.reasons);
    std::move(change.warnings.begin(), change.warnings.end(), std::back_inserter(result.warnings));
  }
  return result;
}

}  // namespace lathe
