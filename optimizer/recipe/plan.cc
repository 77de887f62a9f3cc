#include "optimizer/recipe/plan.h"

#include <algorithm>
#include <utility>

namespace lathe {
namespace {

// In the order in which they run: integer activations first, because the others leave a graph with more kinds of
// constants. Each touches the operators of its own scheme only.
constexpr std::pair<Scheme, const char*> kQuantizingPasses[] = {
    {Scheme::kFullInteger, "quantize-full-integer"},
    {Scheme::kFullInteger, "quantize-recurrent-weights"},
    {Scheme::kDynamicRange, "quantize-dynamic-range"},
    {Scheme::kWeightOnly, "quantize-weight-only"},
    {Scheme::kFloat16, "quantize-float16"},
};

}  // namespace

bool UsesScheme(const Recipe& recipe, Scheme scheme) {
  return recipe.quantize.scheme == scheme ||
         std::any_of(recipe.rules.begin(), recipe.rules.end(),
                     [&](const Rule& rule) { return !rule.skip && rule.quantize.scheme == scheme; });
}

bool UsesIntegers(const Recipe& recipe) {
  return UsesScheme(recipe, Scheme::kFullInteger) || UsesScheme(recipe, Scheme::kDynamicRange) ||
         UsesScheme(recipe, Scheme::kWeightOnly);
}

std::vector<std::string> PlanRecipe(const Recipe& resolved) {
  std::vector<std::string> plan;
  if (UsesIntegers(resolved)) plan.push_back("expand-float16");
  for (const auto& [scheme, pass] : kQuantizingPasses) {
    if (UsesScheme(resolved, scheme)) plan.push_back(pass);
  }
  return plan;
}

}  // namespace lathe
