#include "optimizer/recommendation/recommend.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/parallel.h"
#include "optimizer/recipe/validate.h"

namespace lathe {
namespace {

// One preset in the tree of one target.
struct Step {
  std::string_view preset;
  DataAtHand needs;  // without it, the preset is no choice
  std::string_view reason;
};

// Best first for who has the data; what needs more than there is stays out.
constexpr Step kCpuSteps[] = {
    {"qat-int8", DataAtHand::kLabelled,
     "labelled data: training with quantization in the loop keeps most of the accuracy of an int8 model"},
    {"int8", DataAtHand::kUnlabelled,
     "samples to calibrate with: int8 weights and activations are the smallest and fastest form on a CPU, with a small "
     "loss"},
    {"dynamic-range", DataAtHand::kNone,
     "needs no data: int8 weights for a quarter of the size on a CPU, with a smaller loss than int8"},
    {"float16", DataAtHand::kNone, "needs no data: half the size with next to no loss, and no faster on a CPU"},
    {"int16x8", DataAtHand::kUnlabelled,
     "for accuracy that int8 misses: int16 activations lose little, but only slow kernels take them on a CPU"},
    {"weight-only-int8", DataAtHand::kNone,
     "needs no data: a quarter of the size with computation in float, for accuracy that dynamic-range misses"},
    {"weight-only-int4", DataAtHand::kNone,
     "needs no data: the smallest file; check the accuracy, because 4 bits may lose much"},
};
constexpr Step kGpuSteps[] = {
    {"float16", DataAtHand::kNone, "a GPU computes in float16 anyway: half the size with next to no loss, no data"},
    {"int8", DataAtHand::kUnlabelled,
     "samples to calibrate with: a quarter of the size; the GPU delegate takes int8 operators, too"},
    {"dynamic-range", DataAtHand::kNone, "needs no data: a quarter of the size, where the file counts more than speed"},
};
constexpr Step kEdgeTpuSteps[] = {
    {"edge-tpu", DataAtHand::kUnlabelled, "the Edge TPU takes nothing but 8-bit integers"},
};
constexpr Step kMicrocontrollerSteps[] = {
    {"int8", DataAtHand::kUnlabelled,
     "microcontrollers compute in integers: int8 without exception, with int8 inputs and outputs"},
    {"int16x8", DataAtHand::kUnlabelled,
     "for accuracy that int8 misses: int16 activations, twice the memory for them and fewer kernels"},
};

absl::Span<const Step> StepsFor(Target target) {
  switch (target) {
    case Target::kCpu:
      return kCpuSteps;
    case Target::kGpu:
      return kGpuSteps;
    case Target::kEdgeTpu:
      return kEdgeTpuSteps;
    case Target::kMicrocontroller:
      return kMicrocontrollerSteps;
  }
  return {};
}

std::string_view DataName(DataAtHand data) {
  switch (data) {
    case DataAtHand::kNone:
      return "no data";
    case DataAtHand::kUnlabelled:
      return "unlabelled samples";
    case DataAtHand::kLabelled:
      return "labelled data";
  }
  return "";
}

bool IsSupported(std::string_view preset) {
  const auto& presets = Presets();
  return std::any_of(presets.begin(), presets.end(),
                     [&](const PresetInfo& info) { return info.name == preset && info.supported; });
}

Recipe RecipeFor(std::string_view preset, Target target) {
  Recipe recipe;
  recipe.preset = preset;
  if (target == Target::kCpu || preset == "edge-tpu") return recipe;
  recipe.target = target;
  if (target == Target::kMicrocontroller) recipe.quantize.io_type = preset == "int16x8" ? "int16" : "int8";
  return recipe;
}

const CompatibilityReport& On(const Prediction& prediction, Target target) {
  return *std::find_if(prediction.compatibility.begin(), prediction.compatibility.end(),
                       [&](const CompatibilityReport& report) { return report.target == TargetName(target); });
}

std::string MegabytesText(uint64_t bytes) { return absl::StrFormat("%.2f MB", static_cast<double>(bytes) / 1e6); }

class Recommender {
 public:
  Recommender(const Model& input, const Situation& situation)
      : input_(input), situation_(situation), steps_(StepsFor(situation.target)) {}

  absl::StatusOr<Recommendations> Run() {
    std::vector<std::optional<absl::StatusOr<Prediction>>> predictions(steps_.size());
    ParallelFor(steps_.size(), [&](size_t i) {
      if (IsSupported(steps_[i].preset)) {
        predictions[i] = PredictRecipe(input_, RecipeFor(steps_[i].preset, situation_.target));
      }
    });
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (predictions[i]) Consider(steps_[i], *std::move(predictions[i]));
    }
    if (answer_.ranked.empty()) return Nothing();
    for (size_t i = 0; i < answer_.ranked.size(); ++i) answer_.ranked[i].next_step = NextStep(i);
    return std::move(answer_);
  }

 private:
  // Integer-only hardware has no other choice: samples must be found.
  bool MayNeed(const Step& step) const { return step.needs <= situation_.data || NeedsIntegers(situation_.target); }

  void LeaveOut(const Step& step, std::string_view why) {
    answer_.left_out.push_back(absl::StrFormat("%s: %s", step.preset, why));
  }

  void Consider(const Step& step, absl::StatusOr<Prediction> prediction) {
    if (!prediction.ok()) return LeaveOut(step, std::string(prediction.status().message()));
    if (prediction->bytes >= situation_.input_bytes) {
      return LeaveOut(step, absl::StrFormat("the file would have %d bytes, the input has %d", prediction->bytes,
                                            situation_.input_bytes));
    }
    const CompatibilityReport& there = On(*prediction, situation_.target);
    if (situation_.target == Target::kMicrocontroller && !there.compatible) {
      return LeaveOut(step, absl::StrJoin(there.reasons, "; "));
    }
    if (situation_.target == Target::kEdgeTpu && there.accepted_operators == 0) {
      return LeaveOut(step, absl::StrJoin(there.reasons, "; "));
    }
    if (!MayNeed(step)) {
      return LeaveOut(
          step, absl::StrFormat("needs %s; it would give %s", DataName(step.needs), MegabytesText(prediction->bytes)));
    }
    Recommendation& added = answer_.ranked.emplace_back();
    added.recipe = RecipeFor(step.preset, situation_.target);
    added.prediction = *std::move(prediction);
    Explain(step, added);
  }

  void Explain(const Step& step, Recommendation& added) const {
    added.reasons.emplace_back(step.reason);
    if (step.needs > situation_.data) {
      added.reasons.push_back(
          absl::StrFormat("collect %s first: without them ranges are guesses", DataName(step.needs)));
    }
    const CompatibilityReport& there = On(added.prediction, situation_.target);
    added.reasons.push_back(absl::StrFormat("target %s takes %d of %d operators and %.1f %% of the multiply-adds",
                                            there.target, there.accepted_operators, there.operators,
                                            100 * there.mac_share));
    int stay_float = 0;
    for (const OperatorReport& op : added.prediction.operators) stay_float += !op.reason.empty();
    if (stay_float > 0) {
      added.reasons.push_back(absl::StrFormat("%d operators do not get the precision asked for", stay_float));
    }
  }

  // What lies beyond: the next larger step of accuracy or size that the guide names.
  std::string NextStep(size_t i) const {
    const std::string& preset = answer_.ranked[i].recipe.preset;
    if (preset == "float16") return After("dynamic-range", "int8 weights, some loss, no data");
    if (preset == "dynamic-range") return After("int8", "integers throughout, faster; needs unlabelled samples");
    if (preset == "int8") return After("int16x8", "less loss, slower kernels; needs unlabelled samples");
    if (preset == "int16x8" || preset == "edge-tpu") {
      return "quantization-aware training, which needs training data and time";
    }
    if (preset == "weight-only-int4") return "pruning or clustering before it, which shrinks what is downloaded";
    return "";
  }

  std::string After(std::string_view preset, std::string_view what) const {
    for (const Recommendation& other : answer_.ranked) {
      if (other.recipe.preset != preset) continue;
      return absl::StrFormat("%s: %s (%s)", preset, what, MegabytesText(other.prediction.bytes));
    }
    return absl::StrFormat("%s: %s", preset, what);
  }

  absl::Status Nothing() const {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_RECOMMEND",
                     absl::StrFormat("no preset makes this model smaller for target %s: %s",
                                     TargetName(situation_.target), absl::StrJoin(answer_.left_out, "; ")));
  }

  const Model& input_;
  const Situation& situation_;
  const absl::Span<const Step> steps_;
  Recommendations answer_;
};

}  // namespace

absl::StatusOr<Recommendations> Recommend(const Model& input, const Situation& situation) {
  return Recommender(input, situation).Run();
}

}  // namespace lathe
