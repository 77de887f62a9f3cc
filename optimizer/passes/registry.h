#ifndef LATHE_OPTIMIZER_PASSES_REGISTRY_H_
#define LATHE_OPTIMIZER_PASSES_REGISTRY_H_

#include <memory>
#include <string_view>
#include <vector>

#include "optimizer/passes/pass.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// One row a pass. The name is the one of Pass::name and of optimizer/recipe's table (a test compares the three).
struct PassEntry {
  std::string_view name;
  // The pass with the settings of a resolved recipe.
  std::unique_ptr<Pass> (*make)(const Recipe& recipe);
};

const std::vector<PassEntry>& PassRegistry();

// NotFound PASS_UNKNOWN: no such row.
absl::StatusOr<std::unique_ptr<Pass>> MakePass(std::string_view name, const Recipe& recipe);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_REGISTRY_H_
