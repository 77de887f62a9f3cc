#include "client/cli/report_table.h"

#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace lathe {
namespace {

constexpr double kZeroErrorDb = 200;  // what the report says for "equal in every bit"

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

std::string ErrorText(const v1::ErrorReport& error) {
  std::string text = absl::StrFormat("\nerror against the input (SQNR) over %d %ssamples\n", error.samples(),
                                     error.synthetic() ? "synthetic " : "");
  for (const auto& output : error.outputs()) absl::StrAppendFormat(&text, "  %-30s %s\n", output.name(), Sqnr(output));
  if (error.synthetic()) {
    text += "  Synthetic samples say little about accuracy: give real ones with --calibration.\n";
  }
  return text;
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
  return text + OperatorsText(report) + WarningsText(report.warnings());
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
