#include "wire/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "google/rpc/status.pb.h"
#include "wire/status.h"

namespace lathe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;
using Json = nlohmann::ordered_json;

std::optional<Json> Number(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return Json(value);
}

Json EnumName(const FieldDescriptor* field, int number) {
  if (const auto* value = field->enum_type()->FindValueByNumber(number)) return value->name();
  return number;
}

Json Text(const FieldDescriptor* field, const std::string& value) {
  return field->type() == FieldDescriptor::TYPE_BYTES ? absl::BytesToHexString(value) : value;
}

Json ErrorToJson(const google::rpc::Status& error) {
  const absl::Status status = StatusFromRpc(error);
  Json json = {{"code", absl::StatusCodeToString(status.code())},
               {"reason", ReasonOf(status)},
               {"message", std::string(status.message())}};
  for (const FieldViolation& violation : ViolationsOf(status)) {
    json["violations"].push_back({{"field", violation.field}, {"description", violation.description}});
  }
  return json;
}

// Messages with a form of their own; the types are generated ones, because nothing here uses dynamic messages.
std::optional<Json> WellKnown(const Message& message) {
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) return TimeUtil::ToString(*time);
  if (const auto* time = dynamic_cast<const google::protobuf::Duration*>(&message)) return TimeUtil::ToString(*time);
  if (const auto* error = dynamic_cast<const google::rpc::Status*>(&message)) return ErrorToJson(*error);
  return std::nullopt;
}

// One value; nullopt: it has no JSON form (NaN).
std::optional<Json> Value(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Json(reflection.GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return Json(reflection.GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Json(reflection.GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Json(reflection.GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(reflection.GetDouble(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Number(static_cast<double>(reflection.GetFloat(message, field)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return Json(reflection.GetBool(message, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(field, reflection.GetEnumValue(message, field));
    case FieldDescriptor::CPPTYPE_STRING:
      return Text(field, reflection.GetString(message, field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetMessage(message, field));
  }
  return std::nullopt;
}

// One element of a repeated field; NaN elements become null, because leaving one out would shift the others.
Json Element(const Message& message, const FieldDescriptor* field, int i) {
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetRepeatedInt32(message, field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetRepeatedInt64(message, field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetRepeatedUInt32(message, field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetRepeatedUInt64(message, field, i);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(reflection.GetRepeatedDouble(message, field, i)).value_or(nullptr);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Number(static_cast<double>(reflection.GetRepeatedFloat(message, field, i))).value_or(nullptr);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(message, field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(field, reflection.GetRepeatedEnumValue(message, field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return Text(field, reflection.GetRepeatedString(message, field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetRepeatedMessage(message, field, i));
  }
  return nullptr;
}

std::string MapKey(const Message& entry) {
  const auto key = Value(entry, entry.GetDescriptor()->map_key());
  return key->is_string() ? key->get<std::string>() : key->dump();
}

Json Repeated(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  Json json = field->is_map() ? Json::object() : Json::array();
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    if (!field->is_map()) {
      json.push_back(Element(message, field, i));
      continue;
    }
    const Message& entry = reflection.GetRepeatedMessage(message, field, i);
    if (auto value = Value(entry, entry.GetDescriptor()->map_value())) json[MapKey(entry)] = *value;
  }
  return json;
}

// Lists of a report that are groups of measurements; report.json leaves out what was not measured.
bool IsReportGroup(const FieldDescriptor* field) {
  return field->containing_type()->full_name() == "lathe.v1.Report" &&
         field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

}  // namespace

Json ToJson(const Message& message) {
  if (auto json = WellKnown(message)) return *json;
  Json json = Json::object();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->is_repeated()) {
      if (IsReportGroup(field) && message.GetReflection()->FieldSize(message, field) == 0) continue;
      json[field->name()] = Repeated(message, field);
    } else if (!field->has_presence() || message.GetReflection()->HasField(message, field)) {
      if (auto value = Value(message, field)) json[field->name()] = *value;
    }
  }
  return json;
}

std::string ToJsonText(const Message& message, int indent) {
  return ToJson(message).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lathe
