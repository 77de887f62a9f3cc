#ifndef LATHE_OPTIMIZER_RECIPE_PLAN_H_
#define LATHE_OPTIMIZER_RECIPE_PLAN_H_

#include <string>
#include <vector>

#include "optimizer/recipe/recipe.h"

namespace lathe {

// The passes of a resolved recipe in the order in which they run: clean up, then quantize, one pass for each scheme
// that the recipe or one of its rules asks for. REQUIRES: from ResolveRecipe.
std::vector<std::string> PlanRecipe(const Recipe& resolved);

// The recipe or one of its rules asks for the scheme; for one with integer weights. REQUIRES: rules have their schemes.
bool UsesScheme(const Recipe& recipe, Scheme scheme);
bool UsesIntegers(const Recipe& recipe);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_PLAN_H_
