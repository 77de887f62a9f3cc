#include "optimizer/recipe/plan.h"

namespace lathe {

std::vector<std::string> PlanRecipe(const Recipe& resolved) {
  switch (resolved.quantize.scheme.value_or(Scheme::kNone)) {
    case Scheme::kNone:
      return {};
    case Scheme::kFloat16:
      return {"quantize-float16"};
    case Scheme::kDynamicRange:
      return {"expand-float16", "quantize-dynamic-range"};
    case Scheme::kWeightOnly:
      return {"expand-float16", "quantize-weight-only"};
    case Scheme::kFullInteger:
      return {"expand-float16", "quantize-full-integer"};
  }
  return {};
}

}  // namespace lathe
