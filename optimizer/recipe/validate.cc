#include "optimizer/recipe/validate.h"

#include <cmath>

#include "absl/strings/str_join.h"

namespace lathe {
namespace {

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

Scheme SchemeOfPreset(std::string_view name) {
  if (name == "float16") return Scheme::kFloat16;
  if (name == "dynamic-range") return Scheme::kDynamicRange;
  if (name == "weight-only-int8") return Scheme::kWeightOnly;
  if (name == "int8") return Scheme::kFullInteger;
  return Scheme::kNone;
}

// Collects violations under one prefix.
class Checker {
 public:
  explicit Checker(std::string_view prefix) : prefix_(prefix) {}

  void Add(std::string_view field, std::string description) {
    violations_.push_back(
        {absl::StrFormat("%s%s%s", prefix_, prefix_.empty() ? "" : ".", field), std::move(description)});
  }

  // Sets an unset field to what this version does; another value is a violation.
  template <typename T>
  void Only(std::string_view field, std::optional<T>& value, const T& supported, std::string_view text) {
    if (value && *value != supported) Add(field, absl::StrFormat("this version supports %s only", text));
    value = supported;
  }

  std::vector<FieldViolation>& violations() { return violations_; }

 private:
  std::string prefix_;
  std::vector<FieldViolation> violations_;
};

void ResolvePreset(Recipe& recipe, Checker& checker) {
  if (recipe.preset.empty()) return;
  const PresetInfo* preset = FindPreset(recipe.preset);
  if (preset == nullptr) {
    checker.Add("preset", absl::StrFormat("'%s' is not a preset; known: %s", recipe.preset, SupportedPresets()));
  } else if (!preset->supported) {
    checker.Add("preset", absl::StrFormat("this version does not implement '%s' yet; it implements: %s", recipe.preset,
                                          SupportedPresets()));
  } else if (!recipe.quantize.scheme) {
    recipe.quantize.scheme = SchemeOfPreset(recipe.preset);
  }
}

void ResolveQuantize(QuantizeSettings& quantize, Checker& checker) {
  const Scheme scheme = quantize.scheme.value_or(Scheme::kNone);
  if (scheme == Scheme::kFloat16) {
    checker.Only("quantize.weights.bits", quantize.weights.bits, 16, "16 bits for float16 weights");
  } else {
    checker.Only("quantize.weights.bits", quantize.weights.bits, 8, "8 bits for integer weights");
  }
  checker.Only("quantize.weights.granularity", quantize.weights.granularity, std::string("channel"), "channel");
  if (quantize.weights.block_size) {
    checker.Add("quantize.weights.block_size", "this version does not implement blockwise weights");
  }
  checker.Only("quantize.weights.algorithm", quantize.weights.algorithm, std::string("min-max"), "min-max");
  checker.Only("quantize.io_type", quantize.io_type, std::string("float32"), "float32");
  const bool has_activations = quantize.activations.bits || quantize.activations.ranges ||
                               quantize.allow_float_fallback || quantize.require_full_integer;
  if (scheme != Scheme::kFullInteger) {
    if (has_activations) {
      checker.Add("quantize",
                  "activations, allow_float_fallback and require_full_integer need the full-integer scheme");
    }
    return;
  }
  checker.Only("quantize.activations.bits", quantize.activations.bits, 8, "8 bits for activations");
  checker.Only("quantize.activations.ranges", quantize.activations.ranges, std::string("min-max"), "min-max");
  quantize.allow_float_fallback = quantize.allow_float_fallback.value_or(true);
  quantize.require_full_integer = quantize.require_full_integer.value_or(false);
}

void CheckDataNumbers(const Recipe& recipe, Checker& checker) {
  if (recipe.data_scale && (!std::isfinite(*recipe.data_scale) || *recipe.data_scale == 0)) {
    checker.Add("preprocessing.scale", "must be finite and not 0");
  }
  if (recipe.data_mean && !std::isfinite(*recipe.data_mean)) checker.Add("preprocessing.mean", "must be finite");
}

}  // namespace

absl::StatusOr<Recipe> ResolveRecipe(const Recipe& recipe, std::string_view prefix) {
  Recipe resolved = recipe;
  Checker checker(prefix);
  for (const std::string& field : recipe.unsupported_fields) {
    checker.Add(field, "this version does not implement the field; leave it out");
  }
  ResolvePreset(resolved, checker);
  if (resolved.quantize.scheme.value_or(Scheme::kNone) != Scheme::kNone) {
    ResolveQuantize(resolved.quantize, checker);
  } else if (checker.violations().empty()) {
    checker.Add("preset", absl::StrFormat("the recipe asks for nothing; name a preset: %s", SupportedPresets()));
  }
  CheckDataNumbers(resolved, checker);
  if (!checker.violations().empty()) return MakeViolationsError(checker.violations());
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
      {.name = "int8",
       .description =
           "int8 weights and activations, float32 inputs and outputs: a quarter of the size, calibration data",
       .supported = true,
       .needs_data = true},
      {.name = "weight-only-int4", .description = "int4 weights behind DEQUANTIZE"},
      {.name = "int16x8", .description = "int16 activations, int8 weights", .needs_data = true},
      {.name = "edge-tpu", .description = "full integer for the Edge TPU", .needs_data = true},
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
      {"expand-float16", "turn float16 constants behind DEQUANTIZE into float32 constants"},
      {"equalize", "rescale channels so that all use a like part of their tensor's range; outputs stay the same"},
      {"quantize-float16", "store float32 constants as float16 behind DEQUANTIZE"},
      {"quantize-dynamic-range", "int8 weights per channel on the operator, float32 activations"},
      {"quantize-weight-only", "int8 weights per channel behind DEQUANTIZE"},
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
