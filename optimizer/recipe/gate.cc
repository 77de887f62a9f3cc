#include "optimizer/recipe/gate.h"

#include <re2/re2.h>

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lathe {
namespace {

#define LATHE_NUMBER R"(([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))"
#define LATHE_PATH R"(([a-z][a-z0-9_]*(?:\[\d+\])?(?:\.[a-z][a-z0-9_]*(?:\[\d+\])?)*))"

constexpr char kGate[] = R"(\s*)" LATHE_PATH R"(\s*(<=|>=|<|>)\s*(.*?)\s*)";
constexpr char kAbsolute[] = LATHE_NUMBER R"(\s*([A-Za-z]*))";
constexpr char kRelative[] =
    "(?:" LATHE_NUMBER R"(\s*\*\s*)?)" LATHE_PATH R"((?:\s*([-+])\s*)" LATHE_NUMBER R"(\s*([A-Za-z]*))?)";

absl::Status Bad(std::string_view text, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "USAGE", absl::StrFormat("gate '%s': %s", text, why));
}

const std::vector<std::pair<const char*, Gate::Operator>>& Operators() {
  static const std::vector<std::pair<const char*, Gate::Operator>> operators = {{"<=", Gate::Operator::kLessOrEqual},
                                                                                {">=", Gate::Operator::kGreaterOrEqual},
                                                                                {"<", Gate::Operator::kLess},
                                                                                {">", Gate::Operator::kGreater}};
  return operators;
}

// What a unit multiplies by, if the metric can have it.
std::optional<double> UnitFactor(const std::string& unit, const std::string& metric) {
  static const std::vector<std::pair<const char*, double>> bytes = {
      {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  if (unit.empty()) return 1;
  const bool accuracy = absl::StartsWith(metric, "accuracy.");
  if (unit == "points" || unit == "point") return accuracy ? std::optional<double>(1) : std::nullopt;
  if (unit == "ms") return absl::EndsWith(metric, "_ms") ? std::optional<double>(1) : std::nullopt;
  if (unit == "dB") return accuracy || absl::EndsWith(metric, "_db") ? std::optional<double>(1) : std::nullopt;
  for (const auto& [name, factor] : bytes) {
    if (unit == name && absl::EndsWith(metric, "bytes")) return factor;
  }
  return std::nullopt;
}

bool ToNumber(const std::string& text, double* number) {
  return absl::SimpleAtod(text, number) && std::isfinite(*number);
}

// Sets the offset of the gate from a number and its unit.
absl::Status SetOffset(std::string_view text, const std::string& number, const std::string& unit, Gate* gate) {
  const std::optional<double> factor = UnitFactor(unit, gate->metric);
  if (!factor) return Bad(text, absl::StrFormat("'%s' is no unit of %s", unit, gate->metric));
  if (!ToNumber(number, &gate->offset)) return Bad(text, absl::StrFormat("'%s' is no finite number", number));
  gate->offset *= *factor;
  gate->points = absl::StartsWith(unit, "point");
  return absl::OkStatus();
}

std::string Number(double value) { return absl::StrFormat("%.15g", value); }

}  // namespace

absl::StatusOr<Gate> ParseGate(std::string_view text) {
  static const RE2 whole(kGate), absolute(kAbsolute), relative(kRelative);
  Gate gate;
  std::string comparison, threshold, factor, input, sign, number, unit;
  const re2::StringPiece given(text.data(), text.size());
  if (!RE2::FullMatch(given, whole, &gate.metric, &comparison, &threshold)) {
    return Bad(text,
               "expected PATH OPERATOR THRESHOLD, for example output.bytes <= 500 kB or accuracy.output >= input - 0.5 "
               "points");
  }
  for (const auto& [name, op] : Operators()) {
    if (comparison == name) gate.op = op;
  }
  if (RE2::FullMatch(threshold, absolute, &number, &unit)) {
    LATHE_RETURN_IF_ERROR(SetOffset(text, number, unit, &gate));
    return gate;
  }
  if (!RE2::FullMatch(threshold, relative, &factor, &input, &sign, &number, &unit)) {
    return Bad(
        text, absl::StrFormat("'%s' is no threshold; expected NUMBER, or [NUMBER *] input [+ or - NUMBER]", threshold));
  }
  const std::optional<std::string> of_input = InputPath(gate.metric);
  if (!of_input) return Bad(text, absl::StrFormat("the input has no value of %s; give a number", gate.metric));
  if (input != "input" && input != *of_input) {
    return Bad(
        text, absl::StrFormat("'%s' is not the input's value of %s; write input or %s", input, gate.metric, *of_input));
  }
  gate.factor = 1;
  if (!factor.empty() && !ToNumber(factor, &*gate.factor)) return Bad(text, "the factor is no finite number");
  if (number.empty()) return gate;
  LATHE_RETURN_IF_ERROR(SetOffset(text, number, unit, &gate));
  if (sign == "-") gate.offset = -gate.offset;
  return gate;
}

std::string GateText(const Gate& gate) {
  std::string text = gate.metric;
  for (const auto& [name, op] : Operators()) {
    if (gate.op == op) absl::StrAppend(&text, " ", name, " ");
  }
  const char* points = gate.points ? " points" : "";
  if (!gate.factor) return text + Number(gate.offset) + points;
  if (*gate.factor != 1) absl::StrAppend(&text, Number(*gate.factor), " * ");
  text += "input";
  if (gate.offset != 0) {
    absl::StrAppend(&text, gate.offset < 0 ? " - " : " + ", Number(std::fabs(gate.offset)), points);
  }
  return text;
}

std::optional<std::string> InputPath(const std::string& metric) {
  std::vector<std::string> parts = absl::StrSplit(metric, '.');
  bool changed = false;
  for (std::string& part : parts) {
    if (part != "output" && !absl::StartsWith(part, "output_")) continue;
    part.replace(0, 6, "input");
    changed = true;
  }
  if (!changed) return std::nullopt;
  return absl::StrJoin(parts, ".");
}

}  // namespace lathe
