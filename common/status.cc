#include "common/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lathe {
namespace {

constexpr char kReasonUrl[] = "type.lathe/reason";
constexpr char kViolationsUrl[] = "type.lathe/violations";
// Separators that no field path or message of ours holds (ASCII record and unit separator).
constexpr char kRecord[] = "\x1e";
constexpr char kUnit[] = "\x1f";

// Messages quote what clients send, which may hold them.
std::string WithoutSeparators(std::string text) {
  for (char& c : text) {
    if (c == *kRecord || c == *kUnit) c = '?';
  }
  return text;
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

absl::Status MakeViolationsError(const std::vector<FieldViolation>& violations) {
  std::vector<std::string> lines, records;
  for (const FieldViolation& v : violations) {
    lines.push_back(v.field + ": " + v.description);
    records.push_back(WithoutSeparators(v.field) + kUnit + WithoutSeparators(v.description));
  }
  absl::Status status = MakeError(absl::StatusCode::kInvalidArgument, "BAD_REQUEST", absl::StrJoin(lines, "; "));
  status.SetPayload(kViolationsUrl, absl::Cord(absl::StrJoin(records, kRecord)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  if (status.ok()) return "";
  if (auto payload = status.GetPayload(kReasonUrl)) return std::string(*payload);
  return absl::StatusCodeToString(status.code());
}

std::vector<FieldViolation> ViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  auto payload = status.GetPayload(kViolationsUrl);
  if (!payload) return violations;
  const std::string text(*payload);
  for (absl::string_view record : absl::StrSplit(text, kRecord)) {
    std::pair<std::string, std::string> parts = absl::StrSplit(record, absl::MaxSplits(kUnit, 1));
    violations.push_back({parts.first, parts.second});
  }
  return violations;
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrFormat("%s: %s", context, status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace lathe
