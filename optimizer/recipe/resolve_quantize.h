#ifndef LATHE_OPTIMIZER_RECIPE_RESOLVE_QUANTIZE_H_
#define LATHE_OPTIMIZER_RECIPE_RESOLVE_QUANTIZE_H_

#include <string>

#include "optimizer/recipe/recipe.h"
#include "optimizer/recipe/violation_list.h"

namespace lathe {

// Sets every unset field that has a meaning for the scheme to its default (proto/lathe/v1/recipe.proto names them), and
// adds a violation for each value that the scheme does not take; fields that mean nothing for the scheme must be unset.
// Paths start with `field`, e.g. "quantize". Resolving twice changes nothing.
// REQUIRES: settings.scheme is set and not kNone.
void ResolveQuantize(const std::string& field, Effort effort, QuantizeSettings& settings, ViolationList& violations);

// The same for the settings of single operators alone: weights and activations.
void ResolveOperatorSettings(const std::string& field, Effort effort, QuantizeSettings& settings,
                             ViolationList& violations);

// True: no field but the scheme is set.
bool HasOnlyScheme(const QuantizeSettings& settings);

// Fills what a rule leaves to the recipe: the scheme; with the recipe's scheme also weights and activations that are
// not set at all, and whether operators may stay in float. REQUIRES: `recipe` is resolved.
void InheritQuantize(const QuantizeSettings& recipe, QuantizeSettings& rule);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_RESOLVE_QUANTIZE_H_
