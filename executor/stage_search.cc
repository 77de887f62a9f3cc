#include "executor/stage_search.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "optimizer/model/uses.h"
#include "optimizer/passes/absorb_bias.h"
#include "optimizer/passes/choose_ranges.h"
#include "optimizer/passes/clipping_histograms.h"
#include "optimizer/passes/equalize.h"
#include "optimizer/passes/round_weights.h"
#include "optimizer/passes/scale_groups.h"
#include "optimizer/passes/weight_rows.h"
#include "runtime/calibrate.h"
#include "runtime/collect_histograms.h"
#include "runtime/collect_moments.h"

namespace lathe {
namespace {

// Blocks of operators that empirical bias correction goes through one after the other: each costs a run of both models.
constexpr size_t kBiasBlocks = 4;
// Histograms that the report chooses from, 16 KiB each: more than it shows, because operators that fall back to wider
// types leave the list, and those are mostly the worst.
constexpr size_t kHistogramsKept = 8 * kClippingHistograms;
// How strongly refitted weights are held near the weights they are (algorithm "sequential target"): with less they fit
// the calibration samples and lose 20 dB on others.
constexpr double kRefitDamping = 10;

// Multiplications that second moments and rounding to 8 bits may take when they are to be fast: about half a second on
// two cores.
constexpr double kFastProducts = 8e9;

// K x K moments of `rows` patches, their Cholesky factor, and one row of levels for each channel, over all operators.
double RoundingProducts(const Model& model, const std::vector<OpId>& ops, double rows) {
  double products = 0;
  const Subgraph& graph = model.subgraphs[0];
  for (OpId id : ops) {
    const Op& op = graph.ops[id.index()];
    const Tensor& weights = graph.tensor(op.inputs[1]);
    const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
    const auto channels = static_cast<double>(depthwise ? weights.shape[3] : weights.shape[0]);
    const double k = static_cast<double>(weights.NumElements()) / std::max(1.0, channels);
    const double groups = depthwise ? channels : 1;
    products += groups * (rows * k * k + k * k * k / 3) + channels * k * k;
  }
  return products;
}

// Operators whose weights and bias nobody else reads: what is rounded for one of many would be stored once for each.
std::vector<OpId> WithOwnConstants(const Model& model, std::vector<OpId> ops) {
  const Subgraph& graph = model.subgraphs[0];
  const UseMap uses(graph);
  std::map<BufferId, int> tensors;
  for (const Tensor& tensor : graph.tensors) ++tensors[tensor.buffer];
  const auto is_shared = [&](TensorId id) {
    return id.valid() && (uses.consumers(id).size() > 1 || tensors[graph.tensor(id).buffer] > 1);
  };
  std::erase_if(ops, [&](OpId id) {
    const Op& op = graph.ops[id.index()];
    return is_shared(op.input(1)) || is_shared(op.input(2));
  });
  return ops;
}

std::vector<std::pair<OpId, OpId>> OwnPairs(const Model& reference, const Model& quantized) {
  std::vector<std::pair<OpId, OpId>> pairs = PairWeightOperators(reference, quantized);
  std::vector<OpId> ops;
  for (const auto& pair : pairs) ops.push_back(pair.first);
  ops = WithOwnConstants(reference, std::move(ops));
  const std::set<OpId> own(ops.begin(), ops.end());
  std::erase_if(pairs, [&](const auto& pair) { return own.count(pair.first) == 0; });
  return pairs;
}

bool HasLowBitWeights(const Recipe& recipe) {
  const auto low = [](const QuantizeSettings& settings) { return settings.weights.bits.value_or(8) < 8; };
  return low(recipe.quantize) ||
         std::any_of(recipe.rules.begin(), recipe.rules.end(), [&](const Rule& rule) { return low(rule.quantize); });
}

Correction Wanted(const std::optional<Correction>& setting) { return setting.value_or(Correction::kOff); }

// Whether nothing is tried that the recipe does not name itself.
bool LeavesGoodAlone(const Recipe& recipe) {
  if (recipe.effort == Effort::kBest || recipe.quantize.activations.ranges.value_or("best") != "best") return false;
  const CorrectSettings& correct = recipe.correct;
  return Wanted(correct.equalization) != Correction::kBest && Wanted(correct.rounding) != Correction::kBest &&
         Wanted(correct.bias) != Correction::kBest;
}

// A candidate that is so much worse on the first few samples is given up. Of face_landmark's int4 candidates one that
// is better on all samples was worse on the first eight, which say little about an output of one number.
constexpr double kLostDb = 1;

double SecondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

}  // namespace

absl::Status StageSearch::Run() {
  LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized, QuantizeBest());
  LATHE_ASSIGN_OR_RETURN(const HeldBackErrors start,
                         inputs_.held_back.Measure(quantized.model, [](const auto&) { return true; }));
  score_ = ScoreOutputs(start.errors);
  first_score_ = ScoreOutputs(start.first);
  bytes_ = start.bytes;
  if (LeavesGoodAlone(inputs_.recipe) && IsNearItsRounding(quantized.model, start.errors)) {
    StageReport& skipped = stages_.emplace_back();
    skipped.stage = "corrections";
    skipped.reason =
        "left out: the outputs are off by at most twice what rounding them to their integers leaves; effort BEST tries "
        "them all the same";
    return absl::OkStatus();
  }
  LATHE_RETURN_IF_ERROR(TryEqualization());
  if (!inputs_.calibrated) return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(TryBiasAbsorption());
  LATHE_RETURN_IF_ERROR(TryRanges());
  LATHE_RETURN_IF_ERROR(TryRounding());
  return TryBiasCorrection();
}

absl::Status StageSearch::TryEqualization() {
  const Correction wanted = Wanted(inputs_.recipe.correct.equalization);
  if (wanted == Correction::kOff) return absl::OkStatus();
  struct Variant {
    const char* name;
    EqualizeSettings settings;
    bool best_only;
  };
  static const Variant kVariants[] = {
      {"cross-layer", {.cross_layer = true, .alpha = std::nullopt}, false},
      {"cross-layer, then alpha 0.5", {.cross_layer = true, .alpha = 0.5f}, false},
      {"cross-layer, then alpha 0.65", {.cross_layer = true, .alpha = 0.65f}, true},
      {"cross-layer, then alpha 0.8", {.cross_layer = true, .alpha = 0.8f}, false},
  };
  const Candidate base = best_;
  for (const Variant& variant : kVariants) {
    if (variant.settings.alpha && !inputs_.calibrated) continue;
    if (variant.best_only && wanted != Correction::kBest) continue;
    Candidate candidate = base;
    LATHE_ASSIGN_OR_RETURN(
        const Equalization equalized,
        Equalize(candidate.model, inputs_.calibrated ? &candidate.stats : nullptr, variant.settings));
    if (equalized.scaled_tensors == 0) continue;
    ApplyToStats(equalized, candidate.stats);
    candidate.by_sample.reset();
    candidate.ranges = candidate.stats.Ranges();
    LATHE_RETURN_IF_ERROR(Try("equalization", variant.name, std::move(candidate)).status());
  }
  return absl::OkStatus();
}

absl::Status StageSearch::TryBiasAbsorption() {
  if (Wanted(inputs_.recipe.correct.equalization) != Correction::kBest) return absl::OkStatus();
  Candidate candidate = best_;
  LATHE_ASSIGN_OR_RETURN(const BiasAbsorption absorbed, AbsorbHighBias(candidate.model, candidate.stats));
  if (absorbed.shifted_tensors == 0) return absl::OkStatus();
  ApplyToStats(absorbed, candidate.stats);
  candidate.by_sample.reset();
  candidate.ranges = candidate.stats.Ranges();
  return Try("equalization", "high biases absorbed", std::move(candidate)).status();
}

absl::Status StageSearch::TryRanges() {
  const std::optional<RangeAlgorithm> asked =
      FindRangeAlgorithm(inputs_.recipe.quantize.activations.ranges.value_or("best"));
  if (!asked || *asked == RangeAlgorithm::kMinMax) return absl::OkStatus();
  const std::vector<ScaleGroup> groups = FindScaleGroups(best_.model, &inputs_.settings, inputs_.recipe.quantize);
  std::vector<TensorId> tensors;
  for (const ScaleGroup& group : groups) {
    if (group.bits == 8 && !group.fixed) tensors.insert(tensors.end(), group.measured.begin(), group.measured.end());
  }
  if (tensors.empty()) return absl::OkStatus();
  HistogramOptions options;
  options.samples_max = thorough() ? 128 : 24;
  SetRunOptions(options);
  LATHE_ASSIGN_OR_RETURN(HistogramTable histograms,
                         CollectHistograms(best_.model, tensors, best_.stats, inputs_.calibration, options));
  if (!best_.by_sample) {
    LATHE_ASSIGN_OR_RETURN(best_.by_sample, SampleRangesOfBest(tensors));
  }
  const auto choose = [&](RangeAlgorithm algorithm) {
    return ChooseRanges(best_.model, best_.stats, *best_.by_sample, histograms, groups, algorithm);
  };
  std::vector<RangeAlgorithm> algorithms = {*asked};
  if (*asked == RangeAlgorithm::kBest) {
    // The algorithm that leaves the least error in each tensor is not always the one that leaves the least at the
    // outputs: a few values in a thousand may matter more than the others.
    algorithms.push_back(RangeAlgorithm::kPercentile);
    if (thorough()) algorithms.push_back(RangeAlgorithm::kMinError);
  }
  // All from the same start: none is better for having been tried later.
  std::vector<ChosenRanges> chosen;
  for (RangeAlgorithm algorithm : algorithms) chosen.push_back(choose(algorithm));
  for (size_t i = 0; i < algorithms.size(); ++i) {
    Candidate candidate = best_;
    candidate.ranges = chosen[i].ranges;
    LATHE_ASSIGN_OR_RETURN(const bool kept, Try("ranges", std::string(RangeAlgorithmName(algorithms[i])),
                                                std::move(candidate), *asked != RangeAlgorithm::kBest));
    if (kept) ranges_ = std::move(chosen[i].choices);
  }
  histograms_ = KeepWorstClipped(std::move(histograms), best_.ranges, kHistogramsKept);
  return absl::OkStatus();
}

absl::StatusOr<SampleRanges> StageSearch::SampleRangesOfBest(const std::vector<TensorId>& tensors) {
  CalibrateOptions options;
  options.channels = false;
  SetRunOptions(options);
  LATHE_ASSIGN_OR_RETURN(Calibration seen, Calibrate(best_.model, tensors, inputs_.calibration, options));
  return std::move(seen.by_sample);
}

absl::Status StageSearch::TryRounding() {
  const Correction wanted = Wanted(inputs_.recipe.correct.rounding);
  if (wanted == Correction::kOff) return absl::OkStatus();
  CollectMomentsOptions options = MomentOptions();
  const std::vector<OpId> ops = WithOwnConstants(best_.model, FindMomentOperators(best_.model));
  const auto rows = static_cast<double>(options.rows_max);
  if (wanted == Correction::kFast && !HasLowBitWeights(inputs_.recipe) &&
      RoundingProducts(best_.model, ops, rows) > kFastProducts) {
    StageReport& skipped = stages_.emplace_back();
    skipped.stage = "rounding";
    skipped.reason = "left out: the model is large, and 8 bits gain little; correct.rounding BEST tries it";
    return absl::OkStatus();
  }
  RoundWeightsSettings settings;
  settings.settings = &inputs_.settings;
  settings.cancel = inputs_.cancel;
  settings.correct_bias = Wanted(inputs_.recipe.correct.bias) != Correction::kOff;
  // Less damping fits the samples closer; which is better depends on how alike other samples are.
  std::vector<double> dampings = {0.01};
  if (wanted == Correction::kBest) dampings.push_back(0.001);
  std::vector<WeightChoices> choices(dampings.size());
  LATHE_RETURN_IF_ERROR(CollectMomentsInParts(
      best_.model, ops, inputs_.calibration, options, [&](const MomentTable& part) -> absl::Status {
        for (size_t i = 0; i < dampings.size(); ++i) {
          settings.damping = dampings[i];
          LATHE_ASSIGN_OR_RETURN(WeightChoices rounded, RoundWeights(best_.model, part, settings));
          choices[i].merge(rounded);
        }
        return absl::OkStatus();
      }));
  for (size_t i = 0; i < dampings.size(); ++i) {
    if (choices[i].empty()) continue;
    Candidate candidate = best_;
    candidate.weights = std::move(choices[i]);
    LATHE_RETURN_IF_ERROR(
        Try("rounding", absl::StrFormat("gptq, descent, damping %g", dampings[i]), std::move(candidate)).status());
  }
  return wanted == Correction::kBest ? TrySequentialTarget(settings) : absl::OkStatus();
}

absl::Status StageSearch::TrySequentialTarget(const RoundWeightsSettings& settings) {
  LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized, QuantizeBest());
  LATHE_ASSIGN_OR_RETURN(const JointMomentTable moments,
                         CollectJointMoments(best_.model, quantized.model, OwnPairs(best_.model, quantized.model),
                                             inputs_.calibration, MomentOptions()));
  Candidate candidate = best_;
  LATHE_ASSIGN_OR_RETURN(candidate.weights, RoundWeights(best_.model, moments, kRefitDamping, settings));
  return Try("rounding", "against quantized inputs", std::move(candidate)).status();
}

absl::Status StageSearch::TryBiasCorrection() {
  const Correction wanted = inputs_.recipe.correct.bias.value_or(thorough() ? Correction::kBest : Correction::kFast);
  if (wanted != Correction::kBest) return absl::OkStatus();
  Candidate candidate = best_;
  CollectMomentsOptions options = MomentOptions();
  options.means_only = true;
  for (size_t block = 0; block < kBiasBlocks; ++block) {
    LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized,
                           Quantize(candidate, inputs_.passes, inputs_.recipe, inputs_.settings, inputs_.cancel));
    const auto pairs = OwnPairs(candidate.model, quantized.model);
    const size_t first = pairs.size() * block / kBiasBlocks, last = pairs.size() * (block + 1) / kBiasBlocks;
    const std::vector<std::pair<OpId, OpId>> part(pairs.begin() + static_cast<ptrdiff_t>(first),
                                                  pairs.begin() + static_cast<ptrdiff_t>(last));
    if (part.empty()) continue;
    LATHE_ASSIGN_OR_RETURN(const JointMomentTable means,
                           CollectJointMoments(candidate.model, quantized.model, part, inputs_.calibration, options));
    AddBiasShifts(FindBiasShifts(candidate.model, quantized.model, part, means), candidate.weights);
  }
  return Try("bias-correction", "means of outputs, in blocks", std::move(candidate)).status();
}

absl::StatusOr<QuantizedModel> StageSearch::QuantizeBest() {
  return Quantize(best_, inputs_.passes, inputs_.recipe, inputs_.settings, inputs_.cancel);
}

CollectMomentsOptions StageSearch::MomentOptions() const {
  CollectMomentsOptions options;
  options.threads = inputs_.threads;
  if (inputs_.memory_bytes > 0) options.memory_bytes = inputs_.memory_bytes;
  options.cancel = inputs_.cancel;
  options.input = inputs_.input_file;
  options.scratch_dir = inputs_.scratch_dir;
  options.samples_max = thorough() ? 256 : 16;
  options.rows_max = thorough() ? 8192 : 1024;
  return options;
}

void StageSearch::SetRunOptions(ObserveOptions& options) const {
  options.threads = inputs_.threads;
  if (inputs_.memory_bytes > 0) options.memory_bytes = inputs_.memory_bytes;
  options.cancel = inputs_.cancel;
  options.input = inputs_.input_file;
  options.scratch_dir = inputs_.scratch_dir;
}

absl::StatusOr<HeldBackErrors> StageSearch::Measure(const Candidate& candidate, bool to_the_end) {
  LATHE_ASSIGN_OR_RETURN(const QuantizedModel quantized,
                         Quantize(candidate, inputs_.passes, inputs_.recipe, inputs_.settings, inputs_.cancel));
  return inputs_.held_back.Measure(quantized.model, [&](const std::vector<OutputError>& first) {
    return to_the_end || thorough() || ScoreOutputs(first).mean_db > first_score_.mean_db - kLostDb;
  });
}

absl::StatusOr<bool> StageSearch::Try(const std::string& stage, const std::string& setting, Candidate candidate,
                                      bool asked_for) {
  const auto started = std::chrono::steady_clock::now();
  LATHE_RETURN_IF_ERROR(inputs_.cancel.Check());
  LATHE_ASSIGN_OR_RETURN(const HeldBackErrors found, Measure(candidate, asked_for));
  const size_t all = inputs_.held_back.samples().size();
  const bool complete = found.samples == all;
  const OutputScore score = ScoreOutputs(found.errors);
  StageReport& report = stages_.emplace_back();
  report.stage = stage;
  report.setting = setting;
  report.sqnr_before_db = (complete ? score_ : first_score_).mean_db;
  report.sqnr_after_db = score.mean_db;
  report.bytes_before = bytes_;
  report.bytes = found.bytes;
  report.kept = asked_for || (complete && IsBetter(score, score_));
  if (asked_for) report.reason = "the recipe asks for it";
  if (!complete) report.reason = absl::StrFormat("given up after %d of %d held-back samples", found.samples, all);
  report.seconds = SecondsSince(started);
  if (!report.kept) return false;
  best_ = std::move(candidate);
  score_ = score;
  first_score_ = ScoreOutputs(found.first);
  bytes_ = found.bytes;
  return true;
}

}  // namespace lathe
