#include "optimizer/recommendation/predict.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "optimizer/compatibility/compatibility.h"
#include "optimizer/model/model_writer.h"
#include "optimizer/passes/operator_precision.h"
#include "optimizer/passes/registry.h"
#include "optimizer/recipe/plan.h"
#include "optimizer/recipe/validate.h"
#include "optimizer/recommendation/nominal_ranges.h"

namespace lathe {
namespace {

absl::StatusOr<uint64_t> CountBytes(const Model& model) {
  uint64_t bytes = 0;
  LATHE_RETURN_IF_ERROR(WriteModel(model, [&](absl::Span<const uint8_t> piece) {
    bytes += piece.size();
    return absl::OkStatus();
  }));
  return bytes;
}

// The search for the best scale takes most of a pass's time and changes neither types nor sizes.
void TakePlainScales(Recipe& recipe) {
  const auto simplify = [](QuantizeSettings& settings) {
    if (settings.weights.algorithm) settings.weights.algorithm = "min-max";
  };
  simplify(recipe.quantize);
  recipe.effort = Effort::kFast;  // float16 by the nearest value
  for (Rule& rule : recipe.rules) simplify(rule.quantize);
}

absl::Status NothingToDo(const Model& input) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_DO",
                   absl::StrFormat("the recipe would change nothing: %s", WhyNothingToDo(input)));
}

}  // namespace

absl::StatusOr<Prediction> PredictRecipe(const Model& input, const Recipe& recipe) {
  Prediction prediction;
  LATHE_ASSIGN_OR_RETURN(prediction.resolved, ResolveRecipe(recipe, "recipe"));
  Recipe plain = prediction.resolved;
  TakePlainScales(plain);
  LATHE_ASSIGN_OR_RETURN(const SettingsTable settings, SettingsTable::Resolve(input, plain));
  Model model = input;
  bool quantizes = false, changed = false;
  for (const std::string& name : PlanRecipe(plain)) {
    LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<Pass> pass, MakePass(name, plain));
    PassContext context;
    context.settings = &settings;
    // Of the cleaned float model, which only the first quantizing pass sees.
    const RangeTable ranges = pass->NeedsRanges() ? NominalRanges(model) : RangeTable();
    if (pass->NeedsRanges()) context.ranges = &ranges;
    LATHE_ASSIGN_OR_RETURN(Change change, RunPass(*pass, model, context));
    prediction.plan.push_back({name, PassDescription(name), change.count});
    std::move(change.warnings.begin(), change.warnings.end(), std::back_inserter(prediction.warnings));
    const bool quantizing = absl::StartsWith(name, "quantize-");
    quantizes |= quantizing;
    changed |= quantizing && change.changed();
  }
  if (quantizes && !changed) return NothingToDo(input);
  LATHE_ASSIGN_OR_RETURN(prediction.bytes, CountBytes(model));
  prediction.operators = DescribeOperators(model, plain, &settings);
  for (Target target : kTargets) prediction.compatibility.push_back(CheckTarget(model, target));
  return prediction;
}

}  // namespace lathe
