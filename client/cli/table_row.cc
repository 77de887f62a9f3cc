#include "client/cli/table_row.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe {

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

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string BytesText(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1000) return absl::StrFormat("%d B", bytes);
  if (bytes < 1'000'000) return absl::StrFormat("%.1f kB", value / 1e3);
  if (bytes < 1'000'000'000) return absl::StrFormat("%.2f MB", value / 1e6);
  return absl::StrFormat("%.2f GB", value / 1e9);
}

std::string WarningsText(const google::protobuf::RepeatedPtrField<std::string>& warnings) {
  std::string text;
  for (const std::string& warning : warnings) absl::StrAppend(&text, "\nwarning: ", warning);
  return text.empty() ? "" : text + "\n";
}

}  // namespace lathe
