#ifndef LATHE_OPTIMIZER_RECIPE_RESOLVE_TARGET_H_
#define LATHE_OPTIMIZER_RECIPE_RESOLVE_TARGET_H_

#include "optimizer/recipe/recipe.h"
#include "optimizer/recipe/violation_list.h"

namespace lathe {

// What Recipe::target implies: for EDGE_TPU and MICROCONTROLLER full integer without exception. Sets
// quantize.require_full_integer where it is unset, and adds a violation for whatever contradicts the target: another
// scheme, of the recipe or of a rule, operators that a rule skips, and for EDGE_TPU all but 8 bits. To be called when
// the preset is filled in and before defaults are. Resolving twice changes nothing.
void ResolveTarget(Recipe& recipe, ViolationList& violations);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_RESOLVE_TARGET_H_
