#include "executor/error_target.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "optimizer/recipe/plan.h"
#include "wire/gate.h"

namespace lathe {
namespace {

// "error.outputs[N].sqnr_db": N, and what follows the dot. Nothing: it is about something else.
struct OutputPath {
  size_t output = 0;
  absl::string_view field;
};
std::optional<OutputPath> ParsePath(absl::string_view path) {
  OutputPath parsed;
  if (!absl::ConsumePrefix(&path, "error.outputs[")) return std::nullopt;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), parsed.output);
  if (error != std::errc()) return std::nullopt;
  path.remove_prefix(static_cast<size_t>(end - path.data()));
  if (!absl::ConsumePrefix(&path, "].")) return std::nullopt;
  parsed.field = path;
  return parsed;
}

double NoiseOf(double sqnr_db) { return std::pow(10, -sqnr_db / 10); }

}  // namespace

ErrorTarget::ErrorTarget(const Recipe& recipe, const google::protobuf::RepeatedPtrField<v1::Gate>& gates)
    : min_sqnr_db_(recipe.min_sqnr_db) {
  if (min_sqnr_db_) bounds_.push_back({.output = std::nullopt, .mean_removed = true, .least_db = *min_sqnr_db_});
  const bool may_fall_back = recipe.target.value_or(Target::kCpu) == Target::kCpu;
  if (!may_fall_back || !UsesScheme(recipe, Scheme::kFullInteger)) return;
  for (const v1::Gate& proto : gates) {
    const Gate gate = GateFromProto(proto);
    const bool from_below = gate.op == Gate::Operator::kGreaterOrEqual || gate.op == Gate::Operator::kGreater;
    const std::optional<OutputPath> path = ParsePath(gate.metric);
    if (!from_below || gate.factor || !path) continue;
    const bool mean_removed = path->field == "sqnr_mean_removed_db";
    if (!mean_removed && path->field != "sqnr_db") continue;
    bounds_.push_back({.output = path->output, .mean_removed = mean_removed, .least_db = gate.offset});
  }
}

double ErrorTarget::Excess(const std::vector<OutputError>& errors) const {
  double worst = 0;
  for (const Bound& bound : bounds_) {
    for (size_t i = 0; i < errors.size(); ++i) {
      if (bound.output && *bound.output != i) continue;
      const std::optional<double>& sqnr_db = bound.mean_removed ? errors[i].sqnr_mean_removed_db : errors[i].sqnr_db;
      if (sqnr_db) worst = std::max(worst, NoiseOf(*sqnr_db) / NoiseOf(bound.least_db));
    }
  }
  return worst;
}

std::string ErrorTarget::Text() const {
  if (!min_sqnr_db_) return "the gates";
  return absl::StrFormat("%.4g dB%s", *min_sqnr_db_, bounds_.size() > 1 ? " and the gates" : "");
}

}  // namespace lathe
