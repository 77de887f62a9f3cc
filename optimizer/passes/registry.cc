#include "optimizer/passes/registry.h"

#include "optimizer/passes/absorb_bias.h"
#include "optimizer/passes/equalize.h"
#include "optimizer/passes/expand_float16_pass.h"
#include "optimizer/passes/float16_pass.h"
#include "optimizer/passes/full_integer_pass.h"
#include "optimizer/passes/integer_weights_pass.h"

namespace lathe {

const std::vector<PassEntry>& PassRegistry() {
  static const auto& entries = *new std::vector<PassEntry>{
      {"expand-float16", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<ExpandFloat16Pass>(); }},
      {"equalize",
       [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<EqualizePass>(EqualizeSettings{}); }},
      {"absorb-high-bias", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<AbsorbBiasPass>(); }},
      {"quantize-float16", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<Float16Pass>(); }},
      {"quantize-dynamic-range",
       [](const Recipe& recipe) -> std::unique_ptr<Pass> {
         return std::make_unique<IntegerWeightsPass>(IntegerWeightsPass::Mode::kDynamicRange, recipe.quantize);
       }},
      {"quantize-weight-only",
       [](const Recipe& recipe) -> std::unique_ptr<Pass> {
         return std::make_unique<IntegerWeightsPass>(IntegerWeightsPass::Mode::kWeightOnly, recipe.quantize);
       }},
      {"quantize-recurrent-weights",
       [](const Recipe&) -> std::unique_ptr<Pass> {
         return std::make_unique<IntegerWeightsPass>(IntegerWeightsPass::Mode::kRecurrent);
       }},
      {"quantize-full-integer",
       [](const Recipe& recipe) -> std::unique_ptr<Pass> {
         return std::make_unique<FullIntegerPass>(recipe.quantize);
       }},
  };
  return entries;
}

absl::StatusOr<std::unique_ptr<Pass>> MakePass(std::string_view name, const Recipe& recipe) {
  for (const PassEntry& entry : PassRegistry()) {
    if (entry.name == name) return entry.make(recipe);
  }
  return MakeError(absl::StatusCode::kNotFound, "PASS_UNKNOWN", absl::StrFormat("no pass is named '%s'", name));
}

}  // namespace lathe
