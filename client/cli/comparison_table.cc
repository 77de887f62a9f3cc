#include "client/cli/comparison_table.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe {
namespace {

constexpr int kRowsMax = 10;
constexpr int kUnmatchedMax = 10;
constexpr size_t kNameWidth = 40;
constexpr double kZeroErrorDb = 200;

// The end of a name tells more than its beginning.
std::string Shortened(const std::string& name) {
  if (name.size() <= kNameWidth) return name;
  size_t from = name.size() - kNameWidth + 3;
  while (from < name.size() && (static_cast<unsigned char>(name[from]) & 0xc0) == 0x80) ++from;  // inside a character
  return "..." + name.substr(from);
}

std::string OutputsText(const v1::Comparison& comparison) {
  std::string text = absl::StrFormat("error against the first file (SQNR) over %d %ssamples\n", comparison.samples(),
                                     comparison.synthetic() ? "synthetic " : "");
  for (const v1::OutputError& output : comparison.outputs()) {
    std::string figure = "no figure (the signal is zero)";
    if (output.has_sqnr_db()) {
      figure = output.sqnr_db() >= kZeroErrorDb ? "no error at all" : absl::StrFormat("%.1f dB", output.sqnr_db());
    }
    absl::StrAppendFormat(&text, "  %-40s %s\n", Shortened(output.name()), figure);
  }
  if (comparison.synthetic()) text += "  Synthetic samples say little about accuracy: give real ones with --data.\n";
  return text;
}

// Operators by the error of their outputs, worst first.
std::string OperatorsText(const v1::Comparison& comparison) {
  std::vector<const v1::OperatorComparison*> rows;
  for (const v1::OperatorComparison& row : comparison.operators()) {
    if (row.has_sqnr_db() && row.sqnr_db() < kZeroErrorDb) rows.push_back(&row);
  }
  if (rows.empty()) return "";
  std::stable_sort(rows.begin(), rows.end(), [](const auto* x, const auto* y) { return x->sqnr_db() < y->sqnr_db(); });
  const size_t shown = std::min<size_t>(rows.size(), kRowsMax);
  std::string text = absl::StrFormat("\noperators furthest off (%d of %d)\n  %5s %-24s %9s %9s  %-20s %s\n", shown,
                                     rows.size(), "index", "kind", "SQNR", "own", "main cause", "name");
  for (size_t i = 0; i < shown; ++i) {
    const v1::OperatorComparison& row = *rows[i];
    const std::string own = row.has_own_sqnr_db() ? absl::StrFormat("%.1f dB", row.own_sqnr_db()) : "-";
    const std::string cause =
        row.causes().empty() ? "-" : absl::StrFormat("%s %.0f %%", row.causes(0).cause(), 100 * row.causes(0).share());
    absl::StrAppendFormat(&text, "  %5d %-24s %9s %9s  %-20s %s\n", row.b().index(), row.b().kind(),
                          absl::StrFormat("%.1f dB", row.sqnr_db()), own, cause, Shortened(row.b().name()));
  }
  return text;
}

std::string UnmatchedText(const v1::Comparison& comparison) {
  if (comparison.unmatched().empty()) return "";
  std::string text = absl::StrFormat("\noperators without a counterpart: %d\n", comparison.unmatched_size());
  for (int i = 0; i < std::min(comparison.unmatched_size(), kUnmatchedMax); ++i) {
    const v1::UnmatchedOperator& row = comparison.unmatched(i);
    absl::StrAppendFormat(&text, "  only in %s: %d %s %s\n", row.file() == "a" ? "the first file" : "the second file",
                          row.operator_().index(), row.operator_().kind(), Shortened(row.operator_().name()));
  }
  return text;
}

}  // namespace

std::string CausesText(const google::protobuf::RepeatedPtrField<v1::RankedCause>& causes, int rows_max) {
  if (causes.empty()) return "";
  const int shown = std::min(causes.size(), rows_max);
  std::string text = absl::StrFormat("\ncauses, largest first (%d of %d)\n  %5s %-24s %-20s %9s %7s  %s\n", shown,
                                     causes.size(), "index", "kind", "cause", "SQNR", "share", "name");
  for (int i = 0; i < shown; ++i) {
    const v1::RankedCause& row = causes.Get(i);
    absl::StrAppendFormat(&text, "  %5d %-24s %-20s %9s %7s  %s\n        try %s\n", row.index(), row.kind(),
                          row.cause(), absl::StrFormat("%.1f dB", row.sqnr_db()),
                          absl::StrFormat("%.1f %%", 100 * row.share()), Shortened(row.name()), row.advice());
  }
  return text;
}

std::string ComparisonTable(const v1::Comparison& comparison) {
  std::string text;
  if (comparison.identical()) text += "The two files are identical.\n\n";
  text += OutputsText(comparison);
  text += CausesText(comparison.ranking(), kRowsMax);
  text += OperatorsText(comparison);
  text += UnmatchedText(comparison);
  for (const std::string& warning : comparison.warnings()) absl::StrAppend(&text, "\nwarning: ", warning, "\n");
  return text;
}

}  // namespace lathe
