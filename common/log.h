#ifndef LATHE_COMMON_LOG_H_
#define LATHE_COMMON_LOG_H_

// Logs of servers and workers: one JSON object per line on stderr, {"ts", "level", "event", "msg", fields...}. `event`
// is a fixed snake_case word to search for; everything that varies is a field. Library rooms below storage log nothing.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One key with a text, whole number, number or flag. Values may be hostile (names from requests): they are escaped, and
// bytes that are no UTF-8 become U+FFFD. The key's and the value's bytes must outlive the call of Log only.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <typename Integer,
            typename = std::enable_if_t<std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>>>
  LogField(std::string_view k, Integer v) : key(k), value(static_cast<int64_t>(v)) {}

  std::string_view key;
  std::variant<std::string_view, int64_t, double, bool> value;
};

// Writes one line if `level` is at least the level set. Thread-safe; lines never mix. Never fails: what cannot be
// written is lost.
void Log(LogLevel level, std::string_view event, std::string_view message, std::initializer_list<LogField> fields = {});
void LogFields(LogLevel level, std::string_view event, std::string_view message, absl::Span<const LogField> fields);

// The fields of an error: code, reason and message.
void LogError(std::string_view event, std::string_view message, const absl::Status& status,
              std::initializer_list<LogField> fields = {});

// debug, info, warning or error; the level at start is info. INVALID_ARGUMENT: the name, and the known ones.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name);
void SetLogLevel(LogLevel level);

// The line that Log would write, without the line end; for tests.
std::string FormatLogLine(int64_t now_micros, LogLevel level, std::string_view event, std::string_view message,
                          absl::Span<const LogField> fields);

}  // namespace lathe

#endif  // LATHE_COMMON_LOG_H_
