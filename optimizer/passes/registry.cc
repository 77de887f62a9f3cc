#include "optimizer/passes/registry.h"

#include "optimizer/passes/absorb_bias.h"
#include "optimizer/passes/drop_unused_pass.h"
#include "optimizer/passes/equalize.h"
#include "optimizer/passes/float16_pass.h"
#include "optimizer/passes/fold_constants_pass.h"
#include "optimizer/passes/fold_scales_pass.h"
#include "optimizer/passes/full_integer_pass.h"
#include "optimizer/passes/fully_connect_matmuls_pass.h"
#include "optimizer/passes/integer_weights_pass.h"
#include "optimizer/passes/share_constants_pass.h"
#include "optimizer/passes/subtract_residual_constants_pass.h"

namespace lathe {

const std::vector<PassEntry>& PassRegistry() {
  static const auto& entries = *new std::vector<PassEntry>{
      {"fold-constants",
       [](const Recipe& recipe) -> std::unique_ptr<Pass> {
         return std::make_unique<FoldConstantsPass>(recipe.quantize);
       }},
      {"fold-scales", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<FoldScalesPass>(); }},
      {"fully-connect-matmuls",
       [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<FullyConnectMatmulsPass>(); }},
      {"subtract-residual-constants",
       [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<SubtractResidualConstantsPass>(); }},
      {"equalize",
       [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<EqualizePass>(EqualizeSettings{}); }},
      {"absorb-high-bias", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<AbsorbBiasPass>(); }},
      {"drop-unused", [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<DropUnusedPass>(); }},
      {"share-constants",
       [](const Recipe&) -> std::unique_ptr<Pass> { return std::make_unique<ShareConstantsPass>(); }},
      {"quantize-float16",
       [](const Recipe& recipe) -> std::unique_ptr<Pass> {
         return std::make_unique<Float16Pass>(recipe.effort != Effort::kFast);
       }},
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
