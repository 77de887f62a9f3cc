#include "executor/cause_advice.h"

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace lathe {
namespace {

// Half of the range unused is a bit lost: then the range is worth more than wider types.
constexpr double kUsedShareMin = 0.5;

std::string Rule(const AdviceFacts& facts, const std::string& action) {
  return absl::StrFormat("a rule with selector {index: %d} and %s", facts.op.index, action);
}

std::string Int16Rule(const AdviceFacts& facts) {
  return Rule(facts, "quantize {scheme: FULL_INTEGER, activations: {bits: 16}} (int16x8 for this operator)");
}

std::string KeepFloat(const AdviceFacts& facts) { return Rule(facts, "skip: true (this operator stays in float)"); }

std::string ForWeightRange(const AdviceFacts& facts) {
  if (facts.weight_scale_shared) {
    return "quantize.weights.granularity: CHANNEL (one scale for all channels stretches to the largest of them)";
  }
  if (facts.weight_type == TensorType::kInt4 || facts.weight_type == TensorType::kInt2) {
    return "quantize.weights.granularity: BLOCK (a scale for each 32 weights keeps an outlier to itself)";
  }
  return KeepFloat(facts);
}

std::string ForWeightRounding(const AdviceFacts& facts) {
  if (facts.weight_type == TensorType::kInt4 || facts.weight_type == TensorType::kInt2) {
    return Rule(facts, "quantize {weights: {bits: 8}} (more bits for these weights)");
  }
  if (facts.weight_type == TensorType::kFloat16) return KeepFloat(facts);
  return "--effort best with --calibration (rounds weights together, by the data)";
}

std::string ForActivationRounding(const AdviceFacts& facts) {
  if (absl::StrContains(facts.precision, "dynamic-range")) {
    return "--preset weight-only-int8 (the kernel then reads its data in float)";
  }
  if (!facts.has_scales) return KeepFloat(facts);
  if (absl::StartsWith(facts.precision, "int16")) return KeepFloat(facts);
  if (facts.op.kind == kInputKind && facts.used_share < kUsedShareMin) {
    return absl::StrFormat(
        "other data: the input was calibrated for values in [%.4g, %.4g], and these fill %.0f %% of that (--data, "
        "--input-range, --scale)",
        facts.range_low, facts.range_high, 100 * facts.used_share);
  }
  if (facts.op.kind == kInputKind) return "--preset int16x8 (its inputs keep 16 bits)";
  if (facts.used_share < kUsedShareMin) {
    return absl::StrFormat(
        "quantize.activations.ranges: MIN_ERROR, calibrated with data like these (values fill %.0f %% of the range)",
        100 * facts.used_share);
  }
  return Int16Rule(facts);
}

}  // namespace

std::string AdviceFor(ErrorCause cause, const AdviceFacts& facts) {
  switch (cause) {
    case ErrorCause::kWeightRange:
      return ForWeightRange(facts);
    case ErrorCause::kWeightRounding:
      return ForWeightRounding(facts);
    case ErrorCause::kActivationClipping:
      if (facts.op.kind == kInputKind) {
        return absl::StrFormat(
            "other data: the input was calibrated for values in [%.4g, %.4g] (--data, --input-range, "
            "--scale)",
            facts.range_low, facts.range_high);
      }
      return "quantize.activations.ranges: MIN_MAX, calibrated with data like these";
    case ErrorCause::kActivationRounding:
      return ForActivationRounding(facts);
    case ErrorCause::kBias:
      return "correct.bias: BEST with --calibration (biases are set anew by measured means)";
    case ErrorCause::kAccumulated:
      return "nothing here: mend the operators before it, or ask for --min-sqnr";
  }
  return "";
}

}  // namespace lathe
