#ifndef LATHE_OPTIMIZER_PASSES_SETTINGS_TABLE_H_
#define LATHE_OPTIMIZER_PASSES_SETTINGS_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Which quantization each operator of the input file gets: the recipe's, unless a rule takes the operator. Operators
// are known by Op::origin, so the table stays right while passes renumber.
class SettingsTable {
 public:
  // What one rule takes, for the report and the dry run.
  struct Match {
    size_t rule;  // index in Recipe::rules
    int subgraph;
    int32_t index;  // of the operator in the input file
  };

  // REQUIRES: `input` is as it was read; the recipe is resolved. InvalidArgument: a rule's name_regex is not RE2, or
  // names a kind that does not exist (ResolveRecipe refuses these first), or a rule takes no operator.
  static absl::StatusOr<SettingsTable> Resolve(const Model& input, const Recipe& recipe);

  // The settings of an operator; Scheme::kNone for one that a rule skips. An operator that a pass made gets the
  // recipe's.
  const QuantizeSettings& For(SubgraphId subgraph, const Op& op) const;

  // Replaces what these operators of subgraph 0 (Op::origin) get: how fallback leaves some in a wider type.
  void Override(absl::Span<const int32_t> origins, QuantizeSettings settings);

  // In order of rules, then operators; an operator taken by several rules is listed for each.
  const std::vector<Match>& matches() const { return matches_; }

 private:
  QuantizeSettings recipe_;
  std::vector<std::vector<int>> choice_;  // by subgraph and origin: index into settings_, -1 for the recipe's
  std::vector<QuantizeSettings> settings_;
  std::vector<Match> matches_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SETTINGS_TABLE_H_
