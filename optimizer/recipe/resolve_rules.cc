#include "optimizer/recipe/resolve_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "optimizer/recipe/resolve_quantize.h"

namespace lathe {
namespace {

constexpr std::string_view kOperatorNames[] = {
#define LATHE_OP_KIND(constant, name, value) name,
#include "optimizer/model/op_kinds.inc"
#undef LATHE_OP_KIND
};

// Far more than anybody writes; what a request may cost the server that checks it is bounded.
constexpr size_t kRulesMax = 1000;
constexpr size_t kRegexBytesMax = 1000;

void CheckRegex(const std::string& field, const std::string& text, ViolationList& violations) {
  if (text.size() > kRegexBytesMax) {
    return violations.Add(field, absl::StrFormat("%d bytes, at most %d are taken", text.size(), kRegexBytesMax));
  }
  const RE2 regex(text, RE2::Quiet);
  if (!regex.ok()) violations.Add(field, absl::StrFormat("'%s' is not RE2: %s", text, regex.error()));
}

void CheckSelector(const std::string& field, const Selector& selector, ViolationList& violations) {
  if (selector.kinds.empty() && selector.name_regex.empty() && !selector.subgraph && !selector.index &&
      selector.bytes_min == 0) {
    violations.Add(field, "takes every operator; set one of its fields, or leave the rule out and set recipe.quantize");
  }
  for (size_t i = 0; i < selector.kinds.size(); ++i) {
    if (IsOperatorName(selector.kinds[i])) continue;
    violations.Add(absl::StrFormat("%s.kinds[%d]", field, i),
                   absl::StrFormat("'%s' is not the name of a builtin operator such as CONV_2D; `lathe inspect` lists "
                                   "those of a model",
                                   selector.kinds[i]));
  }
  CheckRegex(field + ".name_regex", selector.name_regex, violations);
}

// Settings of the whole model. A resolved rule repeats what the recipe says of float operators.
void CheckModelSettings(const std::string& field, const QuantizeSettings& recipe, const QuantizeSettings& rule,
                        ViolationList& violations) {
  const auto refuse = [&](bool set, const char* name) {
    if (set) violations.Add(absl::StrFormat("%s.%s", field, name), "is for the whole model; set it in recipe.quantize");
  };
  refuse(rule.io_type.has_value(), "io_type");
  refuse(rule.allow_float_fallback && rule.allow_float_fallback != recipe.allow_float_fallback, "allow_float_fallback");
  refuse(rule.require_full_integer && rule.require_full_integer != recipe.require_full_integer, "require_full_integer");
}

void ResolveAction(const std::string& rule_field, const Recipe& recipe, QuantizeSettings& rule,
                   ViolationList& violations) {
  const std::string field = rule_field + ".quantize";
  if (!rule.scheme && HasOnlyScheme(rule)) {
    violations.Add(rule_field, "has no action; set skip: true, or some field of quantize");
    return;
  }
  CheckModelSettings(field, recipe.quantize, rule, violations);
  InheritQuantize(recipe.quantize, rule);
  if (rule.scheme.value_or(Scheme::kNone) == Scheme::kNone) {
    violations.Add(field + ".scheme", "must be set, because the recipe has none");
    return;
  }
  ResolveOperatorSettings(field, *recipe.effort, rule, violations);
}

}  // namespace

bool IsOperatorName(std::string_view name) {
  return std::find(std::begin(kOperatorNames), std::end(kOperatorNames), name) != std::end(kOperatorNames);
}

void ResolveRules(Recipe& recipe, ViolationList& violations) {
  if (recipe.rules.size() > kRulesMax) {
    return violations.Add("rules", absl::StrFormat("%d rules, at most %d are taken", recipe.rules.size(), kRulesMax));
  }
  for (size_t i = 0; i < recipe.rules.size(); ++i) {
    Rule& rule = recipe.rules[i];
    const std::string field = absl::StrFormat("rules[%d]", i);
    CheckSelector(field + ".selector", rule.selector, violations);
    if (!rule.skip) ResolveAction(field, recipe, rule.quantize, violations);
  }
}

}  // namespace lathe
