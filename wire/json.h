#ifndef LATHE_WIRE_JSON_H_
#define LATHE_WIRE_JSON_H_

// The one JSON form of every answer: report.json, `lathe --json`. It differs from protobuf's own mapping, which turns
// 64-bit numbers into strings and bytes into base64.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace google::protobuf {
class Message;
}

namespace lathe {

// Field names as in the .proto file (snake_case), in its order; numbers of all widths as JSON numbers; bytes as
// lower-case hex; enums as their names (as numbers when unknown); Timestamp as RFC 3339, Duration as "1.5s"; maps as
// objects; google.rpc.Status as {code, reason, message} with `violations` when it has some.
// Absent: messages and `optional` fields that are not set, and numbers that are NaN or infinite, which JSON does not
// have, and empty groups of lathe.v1.Report (operators, plan, ...): they were not measured. Everything else is always
// there, empty lists included. Thread-safe.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// ToJson as text; bytes that are not UTF-8 become U+FFFD. `indent` below 0: one line.
std::string ToJsonText(const google::protobuf::Message& message, int indent = -1);

}  // namespace lathe

#endif  // LATHE_WIRE_JSON_H_
