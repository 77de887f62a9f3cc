#ifndef LATHE_WIRE_MESSAGE_TEXT_H_
#define LATHE_WIRE_MESSAGE_TEXT_H_

#include <google/protobuf/message.h>

#include <string>

#include "common/status.h"

namespace lathe {

// Fills `message` from a text that a user wrote: YAML or JSON, the message's JSON form; field names in snake_case or
// camelCase, enum values in upper or lower case. INVALID_ARGUMENT: more than one document, not a mapping (`mapping`
// says what was expected), nested too deeply, aliases that blow up, duplicate keys, unknown fields (named), wrong
// types, numbers that are NaN or infinite. The message is unspecified then.
absl::Status ParseMessageText(const std::string& text, std::string_view mapping, google::protobuf::Message* message);

}  // namespace lathe

#endif  // LATHE_WIRE_MESSAGE_TEXT_H_
