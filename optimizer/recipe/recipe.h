#ifndef LATHE_OPTIMIZER_RECIPE_RECIPE_H_
#define LATHE_OPTIMIZER_RECIPE_RECIPE_H_

// What the user asks for, as plain data. A recipe says what, never in which order: plan.h decides that.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimizer/recipe/preprocessing.h"
#include "optimizer/recipe/target.h"

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
  std::optional<int> bits;                 // 8, 4 or 2; 16 for float16
  std::optional<std::string> granularity;  // "channel", "tensor" or "block"
  std::optional<int> block_size;           // 32, 64, 128 or 256; block only
  std::optional<std::string> algorithm;    // "min-max" or "min-error"
};

struct ActivationSettings {
  std::optional<int> bits;  // 8 or 16
  // "best" (per tensor, by measured error), "min-max", "percentile", "min-error", "entropy", "moving-average"
  std::optional<std::string> ranges;
};

struct QuantizeSettings {
  std::optional<Scheme> scheme;
  WeightSettings weights;
  ActivationSettings activations;
  std::optional<std::string> io_type;  // "float32", "int8", "uint8", "int16"
  // False: an operator that has no integer kernel is an error instead of a float island. Default true.
  std::optional<bool> allow_float_fallback;
  // Every operator integer without exception, also where the integer kernel is slower. Default false.
  std::optional<bool> require_full_integer;
};

// How hard a correction without training is tried; every one is kept only if the error on held-back samples falls.
enum class Correction { kOff, kFast, kBest };

struct CorrectSettings {
  std::optional<Correction> equalization, bias, rounding;
  // Subtract constants that layer normalisation removes anyway from the residual streams they enter.
  std::optional<Correction> residual_constants;
};

// How much time to spend for accuracy (docs/recipes.md says what each tries).
enum class Effort { kFast, kBalanced, kBest };

// Takes an operator if every set field matches.
struct Selector {
  std::vector<std::string> kinds;  // CONV_2D, ...; any of them
  std::string name_regex;          // RE2, searched in the name of the operator's first output tensor
  std::optional<int> subgraph;
  std::optional<int> index;  // of the operator in its subgraph of the input file
  uint64_t bytes_min = 0;    // bytes of the operator's constants, at least
};

struct Rule {
  Selector selector;
  bool skip = false;          // leave the operators as they are
  QuantizeSettings quantize;  // otherwise: in place of the recipe's
};

struct Recipe {
  std::string preset;  // "" or a name from validate.h; fields below override what it sets
  QuantizeSettings quantize;
  CorrectSettings correct;
  std::optional<Target> target;  // what the result must run on; unset: the CPU
  std::optional<Effort> effort;  // default balanced
  std::vector<Rule> rules;       // the last one that takes an operator wins
  // Least SQNR of any output on held-back samples, means removed, in dB: operators fall back to int16x8, then float,
  // cheapest first, until it holds. Unset: no fallback.
  std::optional<double> min_sqnr_db;
  std::optional<bool> allow_larger;  // hand out a result that is larger than its input. Default false.
  // Without a scale or mean, integer data for a float input is an error.
  Preprocessing preprocessing;
  // Paths (relative to the recipe, e.g. "prune.sparsity") of fields that are set but that this version does not
  // implement. ResolveRecipe reports each: nothing is accepted and ignored.
  std::vector<std::string> unsupported_fields;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_RECIPE_H_
