#ifndef LATHE_OPTIMIZER_RECIPE_RECIPE_H_
#define LATHE_OPTIMIZER_RECIPE_RECIPE_H_

// What the user asks for, as plain data. A recipe says what, never in which order: plan.h decides that.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

// Execution modes of LiteRT (docs/recipes.md).
enum class Scheme {
  kNone,          // not asked for
  kFloat16,       // FLOAT16 constants behind DEQUANTIZE
  kDynamicRange,  // integer weights on the operator, float activations that the kernel quantizes while it runs
  kWeightOnly,    // integer weights behind DEQUANTIZE
  kFullInteger,   // integer weights and activations; needs calibration data
};

struct WeightSettings {
  std::optional<int> bits;                 // 8
  std::optional<std::string> granularity;  // "channel" or "tensor"
  std::optional<int> block_size;           // blockwise only
  std::optional<std::string> algorithm;    // "min-max"
};

struct ActivationSettings {
  std::optional<int> bits;            // 8
  std::optional<std::string> ranges;  // "min-max"
};

struct QuantizeSettings {
  std::optional<Scheme> scheme;
  WeightSettings weights;
  ActivationSettings activations;
  std::optional<std::string> io_type;  // "float32"
  // False: an operator that has no int8 kernel is an error instead of a float island. Default true.
  std::optional<bool> allow_float_fallback;
  // Every operator int8 without exception, also where the int8 kernel is slower. Default false.
  std::optional<bool> require_full_integer;
};

struct Recipe {
  std::string preset;  // "" or a name from presets.h; fields below override what it sets
  QuantizeSettings quantize;
  // Integer data for a float input becomes (value - mean) * scale. Unset: integer data is an error.
  std::optional<double> data_scale, data_mean;
  // Paths (relative to the recipe, e.g. "prune.sparsity") of fields that are set but that this version does not
  // implement. ValidateRecipe reports each: nothing is accepted and ignored.
  std::vector<std::string> unsupported_fields;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_RECIPE_H_
