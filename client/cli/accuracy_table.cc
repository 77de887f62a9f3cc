#include "client/cli/accuracy_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe {
namespace {

std::string FigureRow(const std::string& metric, double input, bool has_output, double output) {
  std::string row = absl::StrFormat("%-20s %12.4f", metric, input);
  if (has_output) absl::StrAppendFormat(&row, " %12.4f", output);
  return row + "\n";
}

}  // namespace

std::string AccuracyText(const v1::AccuracyReport& accuracy) {
  std::string text = absl::StrFormat("%-20s %12s", "accuracy", accuracy.has_output() ? "before" : "");
  if (accuracy.has_output()) absl::StrAppendFormat(&text, " %12s", "after");
  text.erase(text.find_last_not_of(' ') + 1);
  text += "\n" + FigureRow(accuracy.metric(), accuracy.input(), accuracy.has_output(), accuracy.output());
  for (const auto& figure : accuracy.also()) {
    text += FigureRow(figure.metric(), figure.input(), figure.has_output(), figure.output());
  }
  if (accuracy.has_verdict()) absl::StrAppend(&text, accuracy.verdict(), "; ");
  absl::StrAppendFormat(&text, "%d samples, %s is better\n", accuracy.samples(),
                        accuracy.higher_is_better() ? "higher" : "lower");
  return text;
}

std::string GatesText(const google::protobuf::RepeatedPtrField<v1::GateReport>& gates) {
  if (gates.empty()) return "";
  std::string text = "\ngates\n";
  for (const auto& gate : gates) {
    absl::StrAppendFormat(&text, "  %-7s %s: %.6g against %.6g, margin %.3g\n", gate.met() ? "met" : "MISSED",
                          gate.gate(), gate.value(), gate.threshold(), gate.margin());
  }
  return text;
}

}  // namespace lathe
