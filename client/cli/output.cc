#include "client/cli/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "wire/json.h"
#include "wire/status.h"

namespace lathe {
namespace {

constexpr int kIndent = 2;

// Names in models are anybody's bytes: control characters would reach the terminal.
void Print(FILE* file, std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = '?';
  }
  fwrite(safe.data(), 1, safe.size(), file);
  if (safe.empty() || safe.back() != '\n') fputc('\n', file);
  fflush(file);
}

int ExitCode(const absl::Status& status) {
  if (status.ok()) return 0;
  if (absl::IsUnavailable(status)) return 3;
  const std::string reason = ReasonOf(status);
  const bool usage = reason == "USAGE" || reason == "BAD_REQUEST" || reason == "RECIPE_INVALID";
  return usage ? 2 : 1;
}

}  // namespace

void Output::Answer(const google::protobuf::Message& message, std::string_view text) {
  if (json_) {
    Print(stdout, ToJsonText(message, kIndent));
  } else if (!text.empty()) {
    Print(stdout, text);
  }
  answered_ = true;
}

void Output::AnswerJson(std::string_view json, std::string_view text) {
  Print(stdout, json_ ? json : text);
  answered_ = true;
}

void Output::Note(std::string_view line) { Print(stderr, line); }

int Output::Finish(const absl::Status& status) const {
  if (status.ok()) return 0;
  if (json_ && !answered_) {
    const nlohmann::ordered_json error = {{"error", ToJson(RpcFromStatus(status, ErrorRoom::kJob))}};
    Print(stdout, error.dump(kIndent, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    Print(stderr, absl::StrFormat("lathe: %s [%s]", status.message(), ReasonOf(status)));
  }
  return ExitCode(status);
}

absl::Status UsageError(std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "USAGE", message);
}

}  // namespace lathe
