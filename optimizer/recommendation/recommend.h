#ifndef LATHE_OPTIMIZER_RECOMMENDATION_RECOMMEND_H_
#define LATHE_OPTIMIZER_RECOMMENDATION_RECOMMEND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/recommendation/predict.h"

namespace lathe {

// What the user has besides the model.
enum class DataAtHand { kNone, kUnlabelled, kLabelled };

struct Situation {
  Target target = Target::kCpu;
  DataAtHand data = DataAtHand::kNone;
  uint64_t input_bytes = 0;  // of the model's file
};

struct Recommendation {
  Recipe recipe;  // as a user would write it: not resolved
  Prediction prediction;
  std::vector<std::string> reasons;
  // What the step after this one would win and cost, or "" for the last.
  std::string next_step;
};

struct Recommendations {
  std::vector<Recommendation> ranked;  // best first; at least one
  // Presets that were considered and left out, and why: "int8: NOTHING_TO_DO ...".
  std::vector<std::string> left_out;
};

// The decision tree of LiteRT's optimization guide, as rules over the model, the target and the data at hand: without
// data float16 for a GPU and dynamic range for a CPU; with samples full integer, the only choice for integer-only
// hardware; 16-bit activations where 8 lose too much; then training with quantization where there are labels. A preset
// that this build does not implement, that has nothing to do, that the target cannot run or that would give a larger
// file is left out.
// FailedPrecondition NOTHING_TO_RECOMMEND: none is left; the message says why. REQUIRES: `input` is as it was read.
absl::StatusOr<Recommendations> Recommend(const Model& input, const Situation& situation);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECOMMENDATION_RECOMMEND_H_
