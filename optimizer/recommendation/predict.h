#ifndef LATHE_OPTIMIZER_RECOMMENDATION_PREDICT_H_
#define LATHE_OPTIMIZER_RECOMMENDATION_PREDICT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"

namespace lathe {

// What a job with this recipe will make of the model.
struct Prediction {
  Recipe resolved;
  uint64_t bytes = 0;                     // of the file
  std::vector<OperatorReport> operators;  // of the output, in execution order
  std::vector<PlanStep> plan;
  std::vector<std::string> warnings;
  std::vector<CompatibilityReport> compatibility;  // of the output, every target
};

// Runs the recipe's passes on the model, with ranges that are made up (nominal_ranges.h) and scales that cover the
// largest weight, and counts the bytes that the writer gives: the same rules as a job, no run, no data. What
// corrections with data may add (a bias here and there) is not in it; nor is what min_sqnr_db would take back.
// InvalidArgument: as ResolveRecipe, and for rules that take nothing. FailedPrecondition: NOTHING_TO_DO, and
// FLOAT_FALLBACK as the job. REQUIRES: `input` is as it was read.
absl::StatusOr<Prediction> PredictRecipe(const Model& input, const Recipe& recipe);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECOMMENDATION_PREDICT_H_
