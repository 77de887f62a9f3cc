#include "optimizer/recipe/resolve_quantize.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace lathe {
namespace {

bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

bool IsUnset(const WeightSettings& weights) {
  return !weights.bits && !weights.granularity && !weights.block_size && !weights.algorithm;
}

bool IsUnset(const ActivationSettings& activations) { return !activations.bits && !activations.ranges; }

void ResolveFloat16Weights(const std::string& field, WeightSettings& weights, ViolationList& violations) {
  if (weights.bits.value_or(16) != 16) {
    violations.Add(field + ".bits", absl::StrFormat("%d, but float16 has 16", *weights.bits));
  }
  if (weights.granularity || weights.block_size || weights.algorithm) {
    violations.Add(field, "granularity, block_size and algorithm are for integer weights");
  }
  weights.bits = 16;
}

void ResolveBlocks(const std::string& field, Scheme scheme, WeightSettings& weights, ViolationList& violations) {
  if (weights.granularity != "block") {
    if (weights.block_size) violations.Add(field + ".block_size", "needs granularity BLOCK");
    return;
  }
  if (scheme == Scheme::kFullInteger) {
    violations.Add(field + ".granularity",
                   "blockwise kernels take float activations; BLOCK needs DYNAMIC_RANGE or WEIGHT_ONLY");
  }
  if (weights.bits != 4) violations.Add(field + ".bits", "blockwise kernels take 4-bit weights only; set bits: 4");
  if (!weights.block_size) weights.block_size = 32;
  const int size = *weights.block_size;
  if (size != 32 && size != 64 && size != 128 && size != 256) {
    violations.Add(field + ".block_size", absl::StrFormat("%d, expected 32, 64, 128 or 256", size));
  }
}

void ResolveIntegerWeights(const std::string& field, Scheme scheme, WeightSettings& weights,
                           ViolationList& violations) {
  if (!weights.bits) weights.bits = 8;
  if (*weights.bits != 8 && *weights.bits != 4 && *weights.bits != 2) {
    violations.Add(field + ".bits", absl::StrFormat("%d, expected 8, 4 or 2", *weights.bits));
  } else if (*weights.bits == 2 && scheme == Scheme::kFullInteger) {
    violations.Add(field + ".bits",
                   "no kernel takes 2-bit weights with integer activations; take 4, or DYNAMIC_RANGE or WEIGHT_ONLY");
  }
  if (!weights.granularity) weights.granularity = weights.block_size ? "block" : "channel";
  if (!IsOneOf(*weights.granularity, {"channel", "tensor", "block"})) {
    violations.Add(field + ".granularity",
                   absl::StrFormat("'%s', expected CHANNEL, TENSOR or BLOCK", *weights.granularity));
  }
  ResolveBlocks(field, scheme, weights, violations);
  if (!weights.algorithm) weights.algorithm = *weights.bits == 8 ? "min-max" : "min-error";
  if (!IsOneOf(*weights.algorithm, {"min-max", "min-error"})) {
    violations.Add(field + ".algorithm", absl::StrFormat("'%s', expected MIN_MAX or MIN_ERROR", *weights.algorithm));
  }
}

void ResolveActivations(const std::string& field, Effort effort, ActivationSettings& activations,
                        ViolationList& violations) {
  if (!activations.bits) activations.bits = 8;
  if (*activations.bits != 8 && *activations.bits != 16) {
    violations.Add(field + ".bits", absl::StrFormat("%d, expected 8 or 16", *activations.bits));
  }
  const bool chooses = *activations.bits == 8 && effort != Effort::kFast;
  if (!activations.ranges) activations.ranges = chooses ? "best" : "min-max";
  if (!IsOneOf(*activations.ranges, {"best", "min-max", "percentile", "min-error", "entropy", "moving-average"})) {
    violations.Add(field + ".ranges",
                   absl::StrFormat("'%s', expected BEST, MIN_MAX, PERCENTILE, MIN_ERROR, ENTROPY or MOVING_AVERAGE",
                                   *activations.ranges));
  } else if (*activations.bits == 16 && *activations.ranges != "min-max") {
    violations.Add(field + ".ranges", "16 bits resolve the whole range, so that cutting it only loses; take MIN_MAX");
  }
}

void ResolveIoType(const std::string& field, QuantizeSettings& settings, ViolationList& violations) {
  if (!settings.io_type) settings.io_type = "float32";
  const std::string& type = *settings.io_type;
  if (!IsOneOf(type, {"float32", "int8", "uint8", "int16"})) {
    violations.Add(field + ".io_type", absl::StrFormat("'%s', expected FLOAT32, INT8, UINT8 or INT16", type));
  }
  const bool integer = type != "float32";
  if (integer && (type == "int16") != (settings.activations.bits == 16)) {
    violations.Add(
        field + ".io_type",
        absl::StrFormat("%s does not go with %d-bit activations: INT8 and UINT8 go with 8 bits, INT16 with 16", type,
                        *settings.activations.bits));
  }
  if (integer && !settings.require_full_integer.value_or(true)) {
    violations.Add(field + ".require_full_integer",
                   absl::StrFormat("false contradicts io_type %s: between integers nothing stays in float", type));
  }
  if (!settings.require_full_integer) settings.require_full_integer = integer;
}

void RefuseUnlessUnset(bool set, const std::string& field, ViolationList& violations) {
  if (set) violations.Add(field, "needs the scheme FULL_INTEGER");
}

}  // namespace

void ResolveOperatorSettings(const std::string& field, Effort effort, QuantizeSettings& settings,
                             ViolationList& violations) {
  const Scheme scheme = *settings.scheme;
  if (scheme == Scheme::kFloat16) {
    ResolveFloat16Weights(field + ".weights", settings.weights, violations);
  } else {
    ResolveIntegerWeights(field + ".weights", scheme, settings.weights, violations);
  }
  if (scheme == Scheme::kFullInteger) {
    ResolveActivations(field + ".activations", effort, settings.activations, violations);
  } else {
    RefuseUnlessUnset(settings.activations.bits.has_value(), field + ".activations.bits", violations);
    RefuseUnlessUnset(settings.activations.ranges.has_value(), field + ".activations.ranges", violations);
  }
}

void ResolveQuantize(const std::string& field, Effort effort, QuantizeSettings& settings, ViolationList& violations) {
  ResolveOperatorSettings(field, effort, settings, violations);
  if (settings.scheme == Scheme::kFullInteger) {
    ResolveIoType(field, settings, violations);
    if (!settings.allow_float_fallback) settings.allow_float_fallback = true;
    return;
  }
  RefuseUnlessUnset(settings.io_type.value_or("float32") != "float32", field + ".io_type", violations);
  RefuseUnlessUnset(settings.allow_float_fallback.has_value(), field + ".allow_float_fallback", violations);
  RefuseUnlessUnset(settings.require_full_integer.has_value(), field + ".require_full_integer", violations);
}

bool HasOnlyScheme(const QuantizeSettings& settings) {
  return IsUnset(settings.weights) && IsUnset(settings.activations) && !settings.io_type &&
         !settings.allow_float_fallback && !settings.require_full_integer;
}

void InheritQuantize(const QuantizeSettings& recipe, QuantizeSettings& rule) {
  if (!rule.scheme) rule.scheme = recipe.scheme;
  if (rule.scheme != recipe.scheme) return;
  if (IsUnset(rule.weights)) rule.weights = recipe.weights;
  if (IsUnset(rule.activations)) rule.activations = recipe.activations;
  rule.allow_float_fallback = recipe.allow_float_fallback;
  rule.require_full_integer = recipe.require_full_integer;
}

}  // namespace lathe
