#ifndef LATHE_EXECUTOR_OPERATOR_FALLBACK_H_
#define LATHE_EXECUTOR_OPERATOR_FALLBACK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "executor/candidate.h"
#include "executor/error_target.h"
#include "optimizer/recipe/recipe.h"
#include "runtime/held_back.h"

namespace lathe {

// What the functions below need of a full-integer job.
struct FallbackInputs {
  const Candidate& candidate;
  const Recipe& recipe;             // resolved
  std::vector<std::string> passes;  // those that quantize, in order
  HeldBack& held_back;
  const ErrorTarget& target;  // may be empty for MeasureSensitivity
  CancelToken cancel;
};

// What one operator adds to the error: the model with this operator alone quantized, everything else float, against the
// float model.
struct OperatorNoise {
  int32_t origin = -1;  // Op::origin
  // Noise over signal, means removed, of the output where that is largest; 0: no error.
  double noise = 0;
  double excess = 0;  // ErrorTarget::Excess
};

// For every operator of subgraph 0 that the settings quantize, in whatever scheme, the noisiest first (equal: the
// earlier first). One quantized model is built and run for each.
absl::StatusOr<std::vector<OperatorNoise>> MeasureSensitivity(const FallbackInputs& inputs,
                                                              const SettingsTable& settings);

struct Fallback {
  SettingsTable settings;
  std::map<int32_t, std::string> reasons;  // by Op::origin, for the report
  std::vector<StageReport> stages;
};

// Takes operators from int8 to int16x8, those that exceed most first, until the target is reached; where int16x8
// everywhere is not enough, to float. Errors of operators add up (they are nearly independent), which says how many to
// take; what was taken is measured, and the fewest that hold are kept.
// Only operators in full integer can be taken. Only with everything in float: FAILED_PRECONDITION MIN_SQNR_UNREACHABLE
// if the target is strict; else the settings as they were, with what was tried.
absl::StatusOr<Fallback> FindFallback(const FallbackInputs& inputs, const SettingsTable& settings,
                                      const std::vector<OperatorNoise>& noise);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_OPERATOR_FALLBACK_H_
