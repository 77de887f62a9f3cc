#include "client/cli/report_table.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/comparison_table.h"

namespace lathe {
namespace {

constexpr double kZeroErrorDb = 200;  // what the report says for "equal in every bit"
// Operators of the sensitivity list that the table shows; report.json has all.
constexpr int kSensitivityRowsMax = 20;

std::string Row(std::string_view name, std::string_view before, std::string_view after, std::string_view change) {
  std::string row = absl::StrFormat("%-20s %12s %12s   %s", name, before, after, change);
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

std::string SizeRow(std::string_view name, uint64_t before, uint64_t after) {
  const double share = before == 0 ? 0 : 100.0 * static_cast<double>(after) / static_cast<double>(before);
  return Row(name, BytesText(before), BytesText(after), absl::StrFormat("%.1f %%", share));
}

std::string Milliseconds(double ms) { return absl::StrFormat(ms < 1 ? "%.3f ms" : "%.2f ms", ms); }

std::string Speed(double before, double after) {
  if (before <= 0 || after <= 0) return "";
  return before >= after ? absl::StrFormat("%.2fx faster", before / after)
                         : absl::StrFormat("%.2fx slower", after / before);
}

std::string LatencyRows(const v1::LatencyReport& latency) {
  std::string text = Row("latency, median", Milliseconds(latency.input_ms()), Milliseconds(latency.output_ms()),
                         Speed(latency.input_ms(), latency.output_ms()));
  if (latency.has_input_p90_ms() && latency.has_output_p90_ms()) {
    text += Row("latency, p90", Milliseconds(latency.input_p90_ms()), Milliseconds(latency.output_p90_ms()),
                absl::StrFormat("%d runs, %d thread%s", latency.output_runs(), latency.threads(),
                                latency.threads() == 1 ? "" : "s"));
  }
  return text;
}

std::string Sqnr(const v1::OutputError& output) {
  if (!output.has_sqnr_db()) return "no figure (the signal is zero)";
  if (output.sqnr_db() >= kZeroErrorDb) return "no error at all";
  return absl::StrFormat("%.1f dB", output.sqnr_db());
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string OutputLine(const v1::OutputError& output) {
  std::string line = absl::StrFormat("  %-30s %s", output.name(), Sqnr(output));
  if (output.has_sqnr_mean_removed_db() && output.sqnr_mean_removed_db() < kZeroErrorDb) {
    absl::StrAppendFormat(&line, ", %.1f dB without the mean", output.sqnr_mean_removed_db());
  }
  if (output.has_argmax_agreement()) {
    absl::StrAppend(&line, ", same largest value in ", Percent(output.argmax_agreement()));
  }
  if (output.argmax_ties() > 0) absl::StrAppend(&line, ", ties in ", Percent(output.argmax_ties()));
  return line + "\n";
}

std::string ErrorText(const v1::ErrorReport& error) {
  std::string text = absl::StrFormat("\nerror against the input (SQNR) over %d %s%ssamples\n", error.samples(),
                                     error.held_back() && !error.synthetic() ? "held-back " : "",
                                     error.synthetic() ? "synthetic " : "");
  for (const auto& output : error.outputs()) text += OutputLine(output);
  if (error.synthetic()) {
    text += "  Synthetic samples say little about accuracy: give real ones with --calibration.\n";
  }
  return text;
}

std::string GraphText(const v1::GraphReport& graph) {
  std::string text =
      absl::StrFormat("\ngraph: %d operators, %s integer, %d QUANTIZE, %d DEQUANTIZE", graph.operators(),
                      Percent(graph.integer_share()), graph.quantize_operators(), graph.dequantize_operators());
  if (graph.has_undelegated_operators()) {
    absl::StrAppendFormat(&text, ", %d (%s) not accelerated", graph.undelegated_operators(),
                          Percent(graph.undelegated_share()));
  }
  return text + "\n";
}

std::string CalibrationText(const v1::CalibrationReport& calibration) {
  std::string text =
      absl::StrFormat("\ncalibration: %d samples, %d held back to decide; %d tensors with a chosen range\n",
                      calibration.samples(), calibration.held_back(), calibration.ranges_size());
  for (const auto& note : calibration.notable_samples()) {
    absl::StrAppendFormat(&text, "  sample %d, %s: %s\n", note.sample(), note.tensor(), note.reason());
  }
  for (const auto& note : calibration.degenerate_tensors()) {
    absl::StrAppendFormat(&text, "  %s: %s\n", note.tensor(), note.reason());
  }
  return text;
}

std::string StagesText(const google::protobuf::RepeatedPtrField<v1::StageReport>& stages) {
  if (stages.empty()) return "";
  std::string text = "\nstages tried (least SQNR over the outputs, means removed, held-back samples)\n";
  for (const auto& stage : stages) {
    std::string figures;
    if (stage.has_sqnr_before_db()) absl::StrAppendFormat(&figures, "%.2f -> ", stage.sqnr_before_db());
    if (stage.has_sqnr_after_db()) absl::StrAppendFormat(&figures, "%.2f dB", stage.sqnr_after_db());
    absl::StrAppendFormat(&text, "  %-16s %20s  %-7s %7.2f s  %s%s%s\n", stage.stage(), figures,
                          stage.kept() ? "kept" : "dropped", stage.seconds(), stage.setting(),
                          stage.reason().empty() ? "" : ": ", stage.reason());
  }
  return text;
}

std::string SensitivityText(const google::protobuf::RepeatedPtrField<v1::SensitivityReport>& operators) {
  if (operators.empty()) return "";
  std::string text = "\noperators that add most to the error (SQNR with only it quantized; gain if it stays float)\n";
  for (int i = 0; i < std::min(operators.size(), kSensitivityRowsMax); ++i) {
    const auto& op = operators[i];
    const std::string alone = op.has_alone_sqnr_db() ? absl::StrFormat("%.1f dB", op.alone_sqnr_db()) : "";
    const std::string gain = op.has_gain_db() ? absl::StrFormat("%+.2f dB", op.gain_db()) : "";
    absl::StrAppendFormat(&text, "  %5d  %-24s %10s %10s  %s\n", op.index(), op.kind(), alone, gain, op.name());
  }
  if (operators.size() > kSensitivityRowsMax) {
    absl::StrAppendFormat(&text, "  and %d more in report.json\n", operators.size() - kSensitivityRowsMax);
  }
  return text;
}

bool IsOneOf(const std::string& step, std::initializer_list<const char*> steps) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

// Seconds of what makes the result apart from those of choosing between results and of checking the one.
std::string TimesText(const v1::Report& report) {
  if (report.timing().empty()) return "";
  double calibration = 0, choice = 0, verification = 0, transformation = 0;
  for (const auto& timing : report.timing()) {
    double* part = &transformation;
    if (timing.step() == "calibrate") part = &calibration;
    if (IsOneOf(timing.step(), {"reference", "choose", "sensitivity", "fallback"})) part = &choice;
    if (IsOneOf(timing.step(), {"compare", "measure"})) part = &verification;
    *part += timing.seconds();
  }
  std::string text = "\ntime:";
  if (calibration > 0) absl::StrAppendFormat(&text, " calibration %.2f s,", calibration);
  if (choice > 0) absl::StrAppendFormat(&text, " choice %.2f s,", choice);
  absl::StrAppendFormat(&text, " transformation %.2f s, verification %.2f s; peak memory %s", transformation,
                        verification, BytesText(report.peak_rss_bytes()));
  if (report.has_transform_peak_rss_bytes()) {
    absl::StrAppend(&text, " (before verification ", BytesText(report.transform_peak_rss_bytes()), ")");
  }
  return text + "\n";
}

std::string OperatorsText(const v1::Report& report) {
  std::map<std::tuple<std::string, std::string, std::string>, int> groups;
  for (const auto& op : report.operators()) {
    if (!op.reason().empty()) ++groups[{op.kind(), op.precision(), op.reason()}];
  }
  if (groups.empty()) return "";
  std::string text = "\noperators that are not in the precision asked for\n";
  for (const auto& [group, count] : groups) {
    const auto& [kind, precision, reason] = group;
    absl::StrAppendFormat(&text, "  %4d  %-24s %s: %s\n", count, kind, precision, reason);
  }
  return text;
}

std::string WarningsText(const google::protobuf::RepeatedPtrField<std::string>& warnings) {
  std::string text;
  for (const std::string& warning : warnings) absl::StrAppend(&text, "\nwarning: ", warning);
  return text.empty() ? "" : text + "\n";
}

std::string TensorText(const v1::TensorSummary& tensor) {
  std::string text = absl::StrFormat("%s %s[%s]", tensor.name(), tensor.type(), absl::StrJoin(tensor.shape(), ","));
  if (tensor.quantization().scales_size() == 1 && tensor.quantization().zero_points_size() == 1) {
    absl::StrAppendFormat(&text, " scale %g zero point %d", tensor.quantization().scales(0),
                          tensor.quantization().zero_points(0));
  }
  return text;
}

}  // namespace

std::string BytesText(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1000) return absl::StrFormat("%d B", bytes);
  if (bytes < 1'000'000) return absl::StrFormat("%.1f kB", value / 1e3);
  if (bytes < 1'000'000'000) return absl::StrFormat("%.2f MB", value / 1e6);
  return absl::StrFormat("%.2f GB", value / 1e9);
}

std::string OptimizeTable(const v1::Report& report) {
  std::string text = Row("", "before", "after", "");
  text += SizeRow("size", report.input().bytes(), report.output().bytes());
  if (report.input().has_zstd_bytes() && report.output().has_zstd_bytes()) {
    text += SizeRow("compressed (zstd)", report.input().zstd_bytes(), report.output().zstd_bytes());
  }
  if (report.has_latency()) text += LatencyRows(report.latency());
  if (report.has_error()) text += ErrorText(report.error());
  if (report.has_graph()) text += GraphText(report.graph());
  if (report.has_calibration()) text += CalibrationText(report.calibration());
  text += StagesText(report.stages()) + SensitivityText(report.sensitivity()) +
          CausesText(report.causes(), report.causes_size()) + OperatorsText(report);
  return text + TimesText(report) + WarningsText(report.warnings());
}

std::string VerdictLine(const v1::Report& report) {
  return report.verdict().empty() ? "" : "result: " + absl::StrJoin(report.verdict(), "; ") + "\n";
}

std::string DryRunTable(const v1::Report& report) {
  std::string text = "operators that the rules take; of several rules the last one wins\n";
  for (const auto& match : report.rule_matches()) {
    absl::StrAppendFormat(&text, "  rules[%d]  subgraph %d  %5d  %-24s %s\n", match.rule(), match.subgraph(),
                          match.index(), match.kind(), match.name());
  }
  if (report.rule_matches().empty()) text = "the recipe has no rules: every operator gets its settings\n";
  return text + WarningsText(report.warnings());
}

std::string BenchmarkTable(const v1::Report& report) {
  const v1::LatencyReport& latency = report.latency();
  if (report.has_output() && latency.has_output_ms()) {
    std::string text = Row("", "model", "against", "");
    text += SizeRow("size", report.input().bytes(), report.output().bytes());
    return text + LatencyRows(latency) + WarningsText(report.warnings());
  }
  std::string text = Row("size", BytesText(report.input().bytes()), "", "");
  text += Row("latency, median", Milliseconds(latency.input_ms()), "", "");
  if (latency.has_input_p90_ms()) text += Row("latency, p90", Milliseconds(latency.input_p90_ms()), "", "");
  absl::StrAppendFormat(&text, "%d runs, %d thread%s\n", latency.input_runs(), latency.threads(),
                        latency.threads() == 1 ? "" : "s");
  return text + WarningsText(report.warnings());
}

std::string ModelText(const v1::ModelSummary& model) {
  std::string text =
      absl::StrFormat("%s, schema %d, %d operators, %d tensors, %s of constants%s\n", BytesText(model.bytes()),
                      model.schema_version(), model.operator_count(), model.tensor_count(),
                      BytesText(model.weights_bytes()), model.quantized() ? ", quantized" : "");
  if (!model.description().empty()) absl::StrAppend(&text, model.description(), "\n");
  for (int i = 0; i < model.subgraphs_size(); ++i) {
    const auto& subgraph = model.subgraphs(i);
    absl::StrAppendFormat(&text, "\nsubgraph %d %s: %d operators\n", i, subgraph.name(), subgraph.operator_count());
    for (const auto& tensor : subgraph.inputs()) absl::StrAppend(&text, "  input   ", TensorText(tensor), "\n");
    for (const auto& tensor : subgraph.outputs()) absl::StrAppend(&text, "  output  ", TensorText(tensor), "\n");
  }
  for (const auto& signature : model.signatures()) {
    absl::StrAppendFormat(&text, "signature '%s' of subgraph %d: %d inputs, %d outputs\n", signature.key(),
                          signature.subgraph(), signature.inputs_size(), signature.outputs_size());
  }
  text += "\noperators\n";
  for (const auto& op : model.operators()) {
    absl::StrAppendFormat(&text, "  %5d  %-28s version %d  %s\n", op.count(), op.kind(), op.version(),
                          absl::StrJoin(op.types(), ", "));
  }
  text += "\nconstants\n";
  for (const auto& type : model.weights()) {
    absl::StrAppendFormat(&text, "  %-10s %12s in %d tensors\n", type.type(), BytesText(type.bytes()), type.tensors());
  }
  return text + WarningsText(model.warnings());
}

}  // namespace lathe
