#include "optimizer/recipe/resolve_target.h"

#include <string>

#include "absl/strings/str_format.h"

namespace lathe {
namespace {

// The Edge TPU computes in 8 bits only.
void RequireEightBits(const std::string& field, const QuantizeSettings& settings, ViolationList& violations) {
  if (settings.weights.bits.value_or(8) != 8) violations.Add(field + ".weights.bits", "the Edge TPU takes 8 bits only");
  if (settings.activations.bits.value_or(8) != 8) {
    violations.Add(field + ".activations.bits", "the Edge TPU takes 8 bits only");
  }
}

void CheckRules(const Recipe& recipe, std::string_view target, ViolationList& violations) {
  for (size_t i = 0; i < recipe.rules.size(); ++i) {
    const Rule& rule = recipe.rules[i];
    const std::string field = absl::StrFormat("rules[%d]", i);
    if (rule.skip) violations.Add(field + ".skip", absl::StrFormat("target %s takes no float operators", target));
    if (rule.quantize.scheme.value_or(Scheme::kFullInteger) != Scheme::kFullInteger) {
      violations.Add(field + ".quantize.scheme", absl::StrFormat("target %s needs FULL_INTEGER", target));
    }
    if (recipe.target == Target::kEdgeTpu) RequireEightBits(field + ".quantize", rule.quantize, violations);
  }
}

}  // namespace

void ResolveTarget(Recipe& recipe, ViolationList& violations) {
  if (!recipe.target || !NeedsIntegers(*recipe.target)) return;
  const std::string_view target = TargetName(*recipe.target);
  QuantizeSettings& quantize = recipe.quantize;
  if (quantize.scheme != Scheme::kFullInteger) {
    violations.Add("target", absl::StrFormat("%s needs the scheme FULL_INTEGER; take preset int8 or edge-tpu", target));
    return;
  }
  if (!quantize.require_full_integer.value_or(true)) {
    violations.Add("quantize.require_full_integer", absl::StrFormat("false contradicts target %s", target));
  }
  quantize.require_full_integer = true;
  CheckRules(recipe, target, violations);
  if (recipe.target != Target::kEdgeTpu) return;
  RequireEightBits("quantize", quantize, violations);
  if (recipe.min_sqnr_db)
    violations.Add("min_sqnr_db", "the Edge TPU takes 8 bits only: there is nothing to fall back to");
}

}  // namespace lathe
