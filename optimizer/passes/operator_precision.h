#ifndef LATHE_OPTIMIZER_PASSES_OPERATOR_PRECISION_H_
#define LATHE_OPTIMIZER_PASSES_OPERATOR_PRECISION_H_

#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"

namespace lathe {

// The operator's kind as reports name it: CONV_2D, or CUSTOM:name.
std::string KindLabel(const Op& op);

// One row for each operator of the model: in which precision it computes, and where that is not what the resolved
// recipe asked for, why. Precisions: float32, float16 (weights), dynamic-range int8, weight-only int8; of integer
// activations int8, int4 x int8 (weights by activations), int16x8, int16x4 and, for operators without weights, int16;
// or the type of the output for operators that compute in something else.
// With `settings`, which know operators by Op::origin, what was asked for is theirs: an operator that a rule leaves in
// float is as it was asked for.
std::vector<OperatorReport> DescribeOperators(const Model& model, const Recipe& recipe,
                                              const SettingsTable* settings = nullptr);

// How many operators of the model the resolved recipe can change. 0: NOTHING_TO_DO.
int64_t CountEligible(const Model& model, const Recipe& recipe);

// Why a recipe has nothing to do on this model, as the end of an error message.
std::string WhyNothingToDo(const Model& model);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_OPERATOR_PRECISION_H_
