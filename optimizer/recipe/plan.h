#ifndef LATHE_OPTIMIZER_RECIPE_PLAN_H_
#define LATHE_OPTIMIZER_RECIPE_PLAN_H_

#include <string>
#include <vector>

#include "optimizer/recipe/recipe.h"

namespace lathe {

// The passes of a resolved recipe in the order in which they run: clean up, then quantize. REQUIRES: from
// ResolveRecipe.
std::vector<std::string> PlanRecipe(const Recipe& resolved);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_PLAN_H_
