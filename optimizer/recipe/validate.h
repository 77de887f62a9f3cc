#ifndef LATHE_OPTIMIZER_RECIPE_VALIDATE_H_
#define LATHE_OPTIMIZER_RECIPE_VALIDATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// The recipe with its preset's settings filled in and every default resolved, or INVALID_ARGUMENT with all violations
// at once; their field paths start with `prefix`, e.g. "spec.optimize.recipe". An unknown preset's violation lists the
// known ones. An empty recipe (nothing asked for) is a violation too. int8 without calibration data is none: synthetic
// samples calibrate it then, and the report says so.
absl::StatusOr<Recipe> ResolveRecipe(const Recipe& recipe, std::string_view prefix);

// A preset, as `lathe passes`, ListPasses and the documentation name it.
struct PresetInfo {
  std::string name, description;
  bool supported = false;  // false: declared, refused with a reason
  bool needs_data = false;
};
const std::vector<PresetInfo>& Presets();

// A pass, as `lathe passes` and ListPasses list it. A test holds this table against the registry of optimizer/passes.
struct PassInfo {
  std::string name, description;
};
const std::vector<PassInfo>& Passes();

// The description of a pass of that table; "" for a name that is not in it.
std::string PassDescription(std::string_view name);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_VALIDATE_H_
