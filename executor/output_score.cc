#include "executor/output_score.h"

#include <algorithm>
#include <cmath>

namespace lathe {
namespace {

constexpr double kEqualDb = 200;
// Differences below this are chance on the few samples that are held back.
constexpr double kGainDbMin = 0.05;

// An SQNR from n values is off by 4.3 * sqrt(2 / n) dB (one standard deviation of normal noise): 0.6 dB at this number,
// which counts half.
constexpr double kSureValues = 100;

// The scale of the integers that the output is, or is dequantized from; 0: it is not made of integers.
double OutputScale(const Subgraph& graph, TensorId output) {
  for (const Op& op : graph.ops) {
    const bool makes_it = op.kind == OpKind::kDequantize && !op.outputs.empty() && op.outputs[0] == output;
    if (makes_it) output = op.inputs[0];
  }
  const std::vector<float>& scale = graph.tensor(output).quantization.scale;
  return scale.size() == 1 ? double{scale[0]} : 0;
}

bool IsSure(const OutputError& error) {
  return error.sqnr_db.has_value() && static_cast<double>(error.values) >= kSureValues;
}

}  // namespace

double WorstNoise(const std::vector<OutputError>& errors) {
  double worst = 0;
  for (const OutputError& error : errors) {
    if (error.sqnr_mean_removed_db && *error.sqnr_mean_removed_db < kEqualDb) {
      worst = std::max(worst, std::pow(10, -*error.sqnr_mean_removed_db / 10));
    }
  }
  return worst;
}

double NoiseDb(double noise) { return noise <= 0 ? kEqualDb : std::min(kEqualDb, -10 * std::log10(noise)); }

OutputScore ScoreOutputs(const std::vector<OutputError>& errors) {
  OutputScore score{.mean_db = 0, .least_db = kEqualDb};
  double weights = 0;
  const bool any_sure = std::any_of(errors.begin(), errors.end(), IsSure);
  for (const OutputError& error : errors) {
    if (!error.sqnr_db) continue;
    const auto values = static_cast<double>(std::max<int64_t>(error.values, 1));
    const double weight = values / (values + kSureValues);
    score.mean_db += weight * *error.sqnr_db;
    weights += weight;
    if (IsSure(error) || !any_sure) score.least_db = std::min(score.least_db, *error.sqnr_db);
  }
  if (weights > 0) score.mean_db /= weights;
  return score;
}

bool IsBetter(const OutputScore& candidate, const OutputScore& than) {
  const double gain_db = candidate.mean_db - than.mean_db;
  return gain_db > kGainDbMin && candidate.least_db >= than.least_db - gain_db;
}

bool IsNearItsRounding(const Model& quantized, const std::vector<OutputError>& errors) {
  const Subgraph& graph = quantized.subgraphs[0];
  for (size_t i = 0; i < errors.size(); ++i) {
    const double rounding = OutputScale(graph, graph.outputs[i]) / std::sqrt(12.0);
    if (rounding == 0 || errors[i].rms_error > 2 * rounding) return false;
  }
  return true;
}

}  // namespace lathe
