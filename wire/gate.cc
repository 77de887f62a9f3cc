#include "wire/gate.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "optimizer/recipe/metric.h"
#include "wire/report_path.h"

namespace lathe {
namespace {

constexpr int kGatesMax = 100;

std::string NotMeasured(const Gate& gate, const GateCircumstances& circumstances) {
  if (absl::StartsWith(gate.metric, "accuracy.") && circumstances.metric.empty()) {
    return "accuracy is not measured: give evaluation data (--evaluation)";
  }
  if (absl::StartsWith(gate.metric, "error.") && !circumstances.has_data) {
    return "the error would be that of synthetic samples, which never decide a gate: give data (--calibration)";
  }
  const bool benchmarked = absl::StartsWith(gate.metric, "latency.") || absl::StrContains(gate.metric, "zstd_bytes");
  if (benchmarked && !circumstances.benchmarks) return "it is not measured without a benchmark (--no-benchmark)";
  return "";
}

std::string PointsProblem(const Gate& gate, const GateCircumstances& circumstances) {
  if (!gate.points) return "";
  const MetricInfo* metric = FindMetric(circumstances.metric);
  if (!absl::StartsWith(gate.metric, "accuracy.")) return "points are for accuracy.* only";
  const bool has_points =
      metric != nullptr && (metric->unit == std::string("fraction") || metric->unit == std::string("percent"));
  return has_points ? "" : absl::StrFormat("the metric %s has no points: leave them out", circumstances.metric);
}

// The first thing that is wrong with a gate; "": nothing.
std::string Problem(const v1::Gate& proto, const GateCircumstances& circumstances) {
  if (proto.operator_() == v1::Gate::OPERATOR_UNSPECIFIED || !v1::Gate::Operator_IsValid(proto.operator_())) {
    return "has no operator";
  }
  if (proto.threshold_case() == v1::Gate::THRESHOLD_NOT_SET) return "has no threshold";
  const Gate gate = GateFromProto(proto);
  if (!std::isfinite(gate.offset) || !std::isfinite(gate.factor.value_or(0))) return "the threshold is not finite";
  if (const absl::Status path = CheckReportPath(gate.metric); !path.ok()) return std::string(path.message());
  const std::optional<std::string> input = InputPath(gate.metric);
  if (gate.factor && (!input || !CheckReportPath(*input).ok())) {
    return absl::StrFormat("the input has no value of %s; give an absolute threshold", gate.metric);
  }
  if (const std::string why = NotMeasured(gate, circumstances); !why.empty()) return why;
  return PointsProblem(gate, circumstances);
}

bool IsMet(Gate::Operator op, double value, double threshold) {
  switch (op) {
    case Gate::Operator::kLessOrEqual:
      return value <= threshold;
    case Gate::Operator::kGreaterOrEqual:
      return value >= threshold;
    case Gate::Operator::kLess:
      return value < threshold;
    case Gate::Operator::kGreater:
      return value > threshold;
  }
  return false;
}

absl::Status Undecided(const Gate& gate, std::string_view reason, std::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason,
                   absl::StrFormat("gate '%s' cannot be decided: %s", GateText(gate), why));
}

}  // namespace

v1::Gate GateToProto(const Gate& gate) {
  v1::Gate proto;
  proto.set_metric(gate.metric);
  proto.set_operator_(gate.op == Gate::Operator::kLessOrEqual      ? v1::Gate::LESS_OR_EQUAL
                      : gate.op == Gate::Operator::kGreaterOrEqual ? v1::Gate::GREATER_OR_EQUAL
                      : gate.op == Gate::Operator::kLess           ? v1::Gate::LESS
                                                                   : v1::Gate::GREATER);
  if (gate.factor) {
    proto.set_relative_to_input(*gate.factor);
    proto.set_offset(gate.offset);
  } else {
    proto.set_absolute(gate.offset);
  }
  proto.set_points(gate.points);
  return proto;
}

Gate GateFromProto(const v1::Gate& proto) {
  Gate gate;
  gate.metric = proto.metric();
  if (proto.operator_() == v1::Gate::GREATER_OR_EQUAL) gate.op = Gate::Operator::kGreaterOrEqual;
  if (proto.operator_() == v1::Gate::LESS) gate.op = Gate::Operator::kLess;
  if (proto.operator_() == v1::Gate::GREATER) gate.op = Gate::Operator::kGreater;
  if (proto.has_relative_to_input()) gate.factor = proto.relative_to_input();
  gate.offset = proto.absolute() + proto.offset();  // `absolute` is 0 in a relative gate
  gate.points = proto.points();
  return gate;
}

std::vector<FieldViolation> CheckGates(const google::protobuf::RepeatedPtrField<v1::Gate>& gates,
                                       const GateCircumstances& circumstances, const std::string& field) {
  if (gates.size() > kGatesMax) {
    return {{field, absl::StrFormat("has %d gates, at most %d are allowed", gates.size(), kGatesMax)}};
  }
  std::vector<FieldViolation> violations;
  for (int i = 0; i < gates.size(); ++i) {
    const std::string problem = Problem(gates[i], circumstances);
    if (!problem.empty()) violations.push_back({absl::StrCat(field, "[", i, "]"), problem});
  }
  return violations;
}

absl::Status HoldGates(const google::protobuf::RepeatedPtrField<v1::Gate>& gates, v1::Report* report) {
  for (const v1::Gate& proto : gates) {
    const Gate gate = GateFromProto(proto);
    if (report->error().synthetic() && absl::StartsWith(gate.metric, "error.")) {
      return Undecided(gate, "GATE_SYNTHETIC", "it was measured on synthetic samples; give data");
    }
    const std::optional<double> value = FindReportValue(*report, gate.metric);
    if (!value) return Undecided(gate, "GATE_NOT_MEASURED", absl::StrFormat("the report has no %s", gate.metric));
    double threshold = gate.offset * (gate.points && report->accuracy().unit() == "fraction" ? 0.01 : 1);
    if (gate.factor) {
      const std::string path = *InputPath(gate.metric);
      const std::optional<double> input = FindReportValue(*report, path);
      if (!input) return Undecided(gate, "GATE_NOT_MEASURED", absl::StrFormat("the report has no %s", path));
      threshold += *gate.factor * *input;
    }
    v1::GateReport& held = *report->add_gates();
    held.set_gate(GateText(gate));
    held.set_value(*value);
    held.set_threshold(threshold);
    held.set_met(IsMet(gate.op, *value, threshold));
    const bool at_most = gate.op == Gate::Operator::kLessOrEqual || gate.op == Gate::Operator::kLess;
    held.set_margin(at_most ? threshold - *value : *value - threshold);
  }
  return absl::OkStatus();
}

absl::Status GateVerdict(const v1::Report& report) {
  std::vector<std::string> missed;
  for (const v1::GateReport& gate : report.gates()) {
    if (gate.met()) continue;
    missed.push_back(absl::StrFormat("%s (it is %.6g against %.6g, off by %.3g)", gate.gate(), gate.value(),
                                     gate.threshold(), -gate.margin()));
  }
  if (missed.empty()) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "GATE_NOT_MET",
      absl::StrFormat("%s not met: %s", missed.size() == 1 ? "a gate was" : "gates were", absl::StrJoin(missed, "; ")));
}

}  // namespace lathe
