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
  std::vector<std::string> plan = {"fold-constants", "fold-scales"};
  // Before the bias of a matrix product can take in what is subtracted.
  if (UsesScheme(resolved, Scheme::kFullInteger)) plan.push_back("fully-connect-matmuls");
  // Narrows integer activations first of all, and what tables lose by rounding in every scheme.
  const bool subtract = resolved.correct.residual_constants.value_or(Correction::kFast) != Correction::kOff;
  if (subtract) plan.push_back("subtract-residual-constants");
  plan.push_back("drop-unused");
  const size_t before = plan.size();
  for (const auto& [scheme, pass] : kQuantizingPasses) {
    if (UsesScheme(resolved, scheme)) plan.push_back(pass);
  }
  if (plan.size() == before) return {};
  // Last, because what was one constant with two readers may have become two equal ones.
  plan.push_back("share-constants");
  return plan;
}

}  // namespace lathe
