#include "executor/output_score.h"

#include <algorithm>
#include <cmath>

namespace lathe {
namespace {

constexpr double kEqualDb = 200;
// Differences below this are chance on the few samples that are held back.
constexpr double kGainDbMin = 0.05;

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
  int counted = 0;
  for (const OutputError& error : errors) {
    if (!error.sqnr_db) continue;
    score.mean_db += *error.sqnr_db;
    score.least_db = std::min(score.least_db, *error.sqnr_db);
    ++counted;
  }
  if (counted > 0) score.mean_db /= counted;
  return score;
}

bool IsBetter(const OutputScore& candidate, const OutputScore& than) {
  const double gain_db = candidate.mean_db - than.mean_db;
  return gain_db > kGainDbMin && candidate.least_db >= than.least_db - gain_db;
}

}  // namespace lathe
