#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace lathe {
namespace {

constexpr const char* kLevelNames[] = {"debug", "info", "warning", "error"};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Synchronous: a line is written when Log returns, so the last words of a dying server are not lost.
spdlog::logger& Logger() {
  // Never destroyed: threads may log while the program ends.
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("lathe", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

std::string FormatTime(int64_t micros) {
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                         parts.tm_hour, parts.tm_min, parts.tm_sec, micros % 1'000'000);
}

}  // namespace

std::string FormatLogLine(int64_t now_micros, LogLevel level, std::string_view event, std::string_view message,
                          absl::Span<const LogField> fields) {
  nlohmann::ordered_json line;
  line["ts"] = FormatTime(now_micros);
  line["level"] = kLevelNames[static_cast<int>(level)];
  line["event"] = event;
  line["msg"] = message;
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.key)] = value; }, field.value);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Log(LogLevel level, std::string_view event, std::string_view message, std::initializer_list<LogField> fields) {
  LogFields(level, event, message, absl::MakeConstSpan(fields.begin(), fields.size()));
}

void LogFields(LogLevel level, std::string_view event, std::string_view message, absl::Span<const LogField> fields) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  const int64_t now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  try {
    const std::string line = FormatLogLine(now, level, event, message, fields);
    Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    // A log line is not worth a server.
  }
}

void LogError(std::string_view event, std::string_view message, const absl::Status& status,
              std::initializer_list<LogField> fields) {
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string reason = ReasonOf(status);
  const std::string text(status.message());
  std::vector<LogField> all(fields);
  all.emplace_back("code", code);
  all.emplace_back("reason", reason);
  all.emplace_back("error", text);
  LogFields(LogLevel::kError, event, message, all);
}

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (name == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_LOG_LEVEL",
                   absl::StrFormat("unknown log level '%s': use debug, info, warning or error", name));
}

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

}  // namespace lathe
