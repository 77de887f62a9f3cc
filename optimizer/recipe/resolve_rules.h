#ifndef LATHE_OPTIMIZER_RECIPE_RESOLVE_RULES_H_
#define LATHE_OPTIMIZER_RECIPE_RESOLVE_RULES_H_

#include <string_view>

#include "optimizer/recipe/recipe.h"
#include "optimizer/recipe/violation_list.h"

namespace lathe {

// Checks the selectors and resolves each rule's settings, with what the rule leaves to the recipe filled in.
// Violations: an empty selector, a kind that no operator has, a name_regex that is not RE2, no action, settings of the
// whole model that differ from the recipe's, and what ResolveQuantize refuses. Paths are
// "rules[2].quantize.weights.bits". REQUIRES: recipe.quantize is resolved.
void ResolveRules(Recipe& recipe, ViolationList& violations);

// True for the name of a builtin operator of the file format, "CONV_2D".
bool IsOperatorName(std::string_view name);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_RESOLVE_RULES_H_
