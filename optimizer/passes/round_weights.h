#ifndef LATHE_OPTIMIZER_PASSES_ROUND_WEIGHTS_H_
#define LATHE_OPTIMIZER_PASSES_ROUND_WEIGHTS_H_

#include <functional>
#include <map>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/input_moments.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/passes/weight_choices.h"

namespace lathe {

struct RoundWeightsSettings {
  // kNearest: scales alone are chosen. Each of the others ends with coordinate descent and never loses against it:
  // kGptq starts it from GPTQ, kAdaptive from AdaRound after that (about a thousand times the work).
  enum class Algorithm { kNearest, kCoordinateDescent, kGptq, kAdaptive };
  Algorithm algorithm = Algorithm::kGptq;
  // Try smaller scales than max|w| / level_max, judged by the error of the output. Pays at 4 bits; at 8 it finds
  // nothing.
  bool search_scales = true;
  // Move the mean error of each output into its bias, and round for what is left.
  bool correct_bias = true;
  // Of the second moments, in units of the mean of their diagonal: against too few samples.
  double damping = 0.01;  // docs/decisions/0018-gptq-descent-and-analytic-bias.md

  // Bits of the levels of each operator, 0 to leave it out; null: by `settings`.
  std::function<int(OpId)> bits;
  // Null: 8 for all. Operators that get no integer weights, or share scales between channels or within blocks, are left
  // out; depthwise weights have no 4-bit kernel and get 8.
  const SettingsTable* settings = nullptr;
  CancelToken cancel;
};

// Integer weights and bias shifts for the operators in `moments`, so that their outputs change least (rounding.h).
// Operators whose weights are not float constants are left out; those without second moments get a bias shift for
// nearest rounding only. Same bits for any number of threads. CANCELLED.
// REQUIRES: the moments are of `model`.
absl::StatusOr<WeightChoices> RoundWeights(const Model& model, const MomentTable& moments,
                                           const RoundWeightsSettings& settings);

// The same against inputs that are quantized already: the weights are first refitted so that they undo what quantizing
// everything before them did to their inputs, as far as a linear map can (rounding.h, RefitWeights; algorithm
// "sequential target"). `refit_damping` holds them near the weights they are, in units of the mean of H's diagonal.
// REQUIRES: the moments' reference is `model`.
absl::StatusOr<WeightChoices> RoundWeights(const Model& model, const JointMomentTable& moments, double refit_damping,
                                           const RoundWeightsSettings& settings);

// What to add to each bias so that the mean of each output, before its activation, is the reference's: the difference
// of W E[x] + b between the models, as they are, on what each of them computes for the samples (empirical bias
// correction, arXiv 1906.04721 section 4.2). By operator of the reference. `pairs`: see PairWeightOperators; those
// without moments or readable weights are left out. Correct a few operators in execution order, quantize again and go
// on: a correction changes the inputs of all operators after it.
std::map<OpId, std::vector<float>> FindBiasShifts(const Model& reference, const Model& quantized,
                                                  const std::vector<std::pair<OpId, OpId>>& pairs,
                                                  const JointMomentTable& means);

// Adds the shifts to those in `choices`.
void AddBiasShifts(const std::map<OpId, std::vector<float>>& shifts, WeightChoices& choices);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_ROUND_WEIGHTS_H_
