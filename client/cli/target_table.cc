#include "client/cli/target_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/table_row.h"

namespace lathe {
namespace {

std::string Line(const v1::TargetCompatibility& target) {
  return absl::StrFormat("%-16s %4d of %d operators (%s), %s of %d multiply-adds%s\n", target.target(),
                         target.accepted_operators(), target.operators(), Percent(target.operator_share()),
                         Percent(target.mac_share()), target.macs(),
                         target.compatible() ? "" : "; the model as a whole does not run there");
}

}  // namespace

std::string TargetsText(const google::protobuf::RepeatedPtrField<v1::TargetCompatibility>& targets) {
  if (targets.empty()) return "";
  std::string text = "\ntargets (what each takes; --target lists the operators)\n";
  for (const auto& target : targets) absl::StrAppend(&text, "  ", Line(target));
  return text;
}

std::string TargetText(const v1::TargetCompatibility& target) {
  std::string text = Line(target) + target.description() + "\n\n";
  for (const auto& op : target.operator_table()) {
    absl::StrAppendFormat(&text, "  %5d  %-28s %14d  %s", op.index(), op.kind(), op.macs(),
                          op.accepted() ? "yes" : "no: " + op.reason());
    if (op.subgraph() > 0) absl::StrAppendFormat(&text, "  (subgraph %d)", op.subgraph());
    text += "\n";
  }
  if (!target.reasons().empty()) text += "\nnot taken\n";
  for (const std::string& reason : target.reasons()) absl::StrAppend(&text, "  ", reason, "\n");
  text += "\nsources of the rules\n";
  for (const std::string& source : target.sources()) absl::StrAppend(&text, "  ", source, "\n");
  return text;
}

}  // namespace lathe
