#include "optimizer/recipe/validate.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "optimizer/recipe/plan.h"
#include "optimizer/recipe/resolve_quantize.h"
#include "optimizer/recipe/resolve_rules.h"
#include "optimizer/recipe/resolve_target.h"
#include "optimizer/recipe/violation_list.h"

namespace lathe {
namespace {

constexpr double kSqnrDbMax = 200;  // what reports say for "equal in every bit"

const PresetInfo* FindPreset(std::string_view name) {
  for (const PresetInfo& preset : Presets()) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

std::string SupportedPresets() {
  std::vector<std::string> names;
  for (const PresetInfo& preset : Presets()) {
    if (preset.supported) names.push_back(preset.name);
  }
  return absl::StrJoin(names, ", ");
}

// What a supported preset sets.
struct PresetSettings {
  std::string_view name;
  Scheme scheme;
  std::optional<int> weight_bits = std::nullopt, activation_bits = std::nullopt;
};
constexpr PresetSettings kPresetSettings[] = {
    {"float16", Scheme::kFloat16},
    {"dynamic-range", Scheme::kDynamicRange},
    {"weight-only-int8", Scheme::kWeightOnly},
    {"weight-only-int4", Scheme::kWeightOnly, 4},
    {"int8", Scheme::kFullInteger},
    {"int16x8", Scheme::kFullInteger, std::nullopt, 16},
    {"edge-tpu", Scheme::kFullInteger, 8, 8},
};

void FillPreset(std::string_view preset, QuantizeSettings& quantize) {
  for (const PresetSettings& settings : kPresetSettings) {
    if (settings.name != preset) continue;
    // Bits of a preset mean nothing for another scheme.
    if (quantize.scheme && *quantize.scheme != settings.scheme) return;
    quantize.scheme = settings.scheme;
    if (!quantize.weights.bits) quantize.weights.bits = settings.weight_bits;
    if (!quantize.activations.bits) quantize.activations.bits = settings.activation_bits;
  }
}

// Coral's runtime takes int8 and uint8 inputs; both need no conversion on its CPU.
void FillEdgeTpu(Recipe& recipe) {
  if (!recipe.target) recipe.target = Target::kEdgeTpu;
  if (!recipe.quantize.io_type) recipe.quantize.io_type = "int8";
}

void ResolvePreset(Recipe& recipe, ViolationList& violations) {
  if (recipe.preset.empty()) return;
  const PresetInfo* preset = FindPreset(recipe.preset);
  if (preset == nullptr) {
    violations.Add("preset", absl::StrFormat("'%s' is not a preset; known: %s", recipe.preset, SupportedPresets()));
  } else if (!preset->supported) {
    violations.Add("preset", absl::StrFormat("this version does not implement '%s' yet; it implements: %s",
                                             recipe.preset, SupportedPresets()));
  } else {
    FillPreset(recipe.preset, recipe.quantize);
    if (recipe.preset == "edge-tpu") FillEdgeTpu(recipe);
  }
}

bool Quantizes(const Recipe& recipe) {
  return recipe.quantize.scheme.value_or(Scheme::kNone) != Scheme::kNone ||
         std::any_of(recipe.rules.begin(), recipe.rules.end(), [](const Rule& rule) { return !rule.skip; });
}

// The recipe's own settings; rules may quantize a model that these leave alone.
void ResolveOwnQuantize(Recipe& recipe, ViolationList& violations) {
  if (recipe.quantize.scheme.value_or(Scheme::kNone) != Scheme::kNone) {
    ResolveQuantize("quantize", *recipe.effort, recipe.quantize, violations);
  } else if (!HasOnlyScheme(recipe.quantize)) {
    violations.Add("quantize.scheme", "must be set, because other fields of quantize are; or name a preset");
  }
}

void ResolveCorrections(Recipe& recipe, ViolationList& violations) {
  const bool integers = UsesIntegers(recipe);
  Correction usual = Correction::kFast;
  if (recipe.effort == Effort::kFast) usual = Correction::kOff;
  if (recipe.effort == Effort::kBest) usual = Correction::kBest;
  const auto resolve = [&](const char* field, std::optional<Correction>& mode, Correction mode_default) {
    if (!integers && mode.value_or(Correction::kOff) != Correction::kOff) {
      violations.Add(field, "corrects integer schemes, and the recipe uses none");
    }
    if (!mode) mode = integers ? mode_default : Correction::kOff;
  };
  resolve("correct.equalization", recipe.correct.equalization, usual);
  resolve("correct.bias", recipe.correct.bias, usual);
  resolve("correct.rounding", recipe.correct.rounding, usual);
  // Tables that hold a large constant lose by float16, too.
  if (!recipe.correct.residual_constants) recipe.correct.residual_constants = Correction::kFast;
}

void ResolveGates(Recipe& recipe, ViolationList& violations) {
  if (!recipe.allow_larger) recipe.allow_larger = false;
  if (!recipe.min_sqnr_db) return;
  // Not `value <= 0`: NaN is out of range, too.
  if (!(*recipe.min_sqnr_db > 0 && *recipe.min_sqnr_db <= kSqnrDbMax)) {
    violations.Add("min_sqnr_db", absl::StrFormat("must be more than 0 and at most %g", kSqnrDbMax));
  }
  if (!UsesScheme(recipe, Scheme::kFullInteger)) {
    violations.Add("min_sqnr_db",
                   "needs the scheme FULL_INTEGER: operators of the others have nothing to fall back to");
  }
}

}  // namespace

absl::StatusOr<Recipe> ResolveRecipe(const Recipe& recipe, std::string_view prefix) {
  Recipe resolved = recipe;
  ViolationList violations(prefix);
  for (const std::string& field : recipe.unsupported_fields) {
    violations.Add(field, "this version does not implement the field; leave it out");
  }
  if (!resolved.effort) resolved.effort = Effort::kBalanced;
  ResolvePreset(resolved, violations);
  ResolveTarget(resolved, violations);
  ResolveOwnQuantize(resolved, violations);
  ResolveRules(resolved, violations);
  ResolveCorrections(resolved, violations);
  ResolveGates(resolved, violations);
  CheckPreprocessing(resolved.preprocessing, violations);
  if (!Quantizes(resolved) && violations.violations().empty()) {
    violations.Add("preset", absl::StrFormat("the recipe asks for nothing; name a preset: %s", SupportedPresets()));
  }
  if (!violations.violations().empty()) return MakeViolationsError(violations.violations());
  return resolved;
}

const std::vector<PresetInfo>& Presets() {
  static const auto& presets = *new std::vector<PresetInfo>{
      {.name = "float16",
       .description = "float16 weights, float32 computation: half the size, no data",
       .supported = true},
      {.name = "dynamic-range",
       .description =
           "int8 weights per channel, activations quantized while the model runs: a quarter of the size, no data",
       .supported = true},
      {.name = "weight-only-int8",
       .description = "int8 weights per channel behind DEQUANTIZE, float32 computation: a quarter of the size, no data",
       .supported = true},
      {.name = "weight-only-int4",
       .description =
           "int4 weights per channel where a kernel takes them, else int8, float32 computation: an eighth of "
           "the size, no data",
       .supported = true},
      {.name = "int8",
       .description =
           "int8 weights and activations, float32 inputs and outputs: a quarter of the size, calibration data",
       .supported = true,
       .needs_data = true},
      {.name = "int16x8",
       .description = "int8 weights, int16 activations: a quarter of the size, less error than int8 and slower, "
                      "calibration data",
       .supported = true,
       .needs_data = true},
      {.name = "edge-tpu",
       .description = "int8 without exception for the Edge TPU, int8 inputs and outputs, checked by what its compiler "
                      "takes: a quarter of the size, calibration data",
       .supported = true,
       .needs_data = true},
      {.name = "prune", .description = "unstructured pruning"},
      {.name = "cluster", .description = "weight clustering"},
      {.name = "prune-int8", .description = "pruning, then int8", .needs_data = true},
      {.name = "cluster-int8", .description = "clustering, then int8", .needs_data = true},
      {.name = "smallest", .description = "the smallest file that passes the gates", .needs_data = true},
      {.name = "qat-int8", .description = "quantization-aware training, then int8", .needs_data = true},
  };
  return presets;
}

const std::vector<PassInfo>& Passes() {
  static const auto& passes = *new std::vector<PassInfo>{
      {"fold-constants", "compute operators whose inputs are all constants"},
      {"fold-scales", "fold MUL, ADD, SUB and DIV by constants, RELU and RELU6 into the operators beside them"},
      {"subtract-residual-constants", "subtract what layer normalisation removes anyway from residual streams"},
      {"equalize", "rescale channels so that all use a like part of their tensor's range; outputs stay the same"},
      {"absorb-high-bias", "move channels to the middle of their range and what that changes into the next biases"},
      {"drop-unused", "drop operators, tensors and buffers that nothing uses"},
      {"share-constants", "store constants with the same bytes once"},
      {"quantize-float16", "store float32 constants as float16 behind DEQUANTIZE"},
      {"quantize-dynamic-range", "integer weights on the operator, float32 activations"},
      {"quantize-weight-only", "integer weights behind DEQUANTIZE"},
      {"quantize-recurrent-weights", "int8 weights on recurrent operators that full integer leaves in float"},
      {"quantize-full-integer", "int8 weights and activations from calibrated ranges, int32 biases"},
  };
  return passes;
}

std::string PassDescription(std::string_view name) {
  for (const PassInfo& info : Passes()) {
    if (info.name == name) return info.description;
  }
  return "";
}

}  // namespace lathe
