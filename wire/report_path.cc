#include "wire/report_path.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lathe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Step {
  std::string name;
  std::optional<int> index;
};

std::vector<Step> Steps(const std::string& path) {
  std::vector<Step> steps;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(path, '.'))) {
    Step& step = steps.emplace_back();
    const size_t bracket = part.find('[');
    step.name = part.substr(0, bracket);
    int index = -1;
    if (bracket == std::string::npos) continue;
    const bool closed =
        part.back() == ']' && absl::SimpleAtoi(part.substr(bracket + 1, part.size() - bracket - 2), &index);
    step.index = closed ? index : -1;
  }
  return steps;
}

absl::Status Bad(const std::string& path, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                   absl::StrFormat("'%s' is no number of report.json: %s", path, why));
}

std::string FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return absl::StrJoin(names, ", ");
}

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE && field.cpp_type() != FieldDescriptor::CPPTYPE_STRING &&
         field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM;
}

template <typename Get, typename GetRepeated>
double Read(const Message& message, const FieldDescriptor* field, const std::optional<int>& index, Get get,
            GetRepeated get_repeated) {
  const auto& reflection = *message.GetReflection();
  return static_cast<double>(index ? (reflection.*get_repeated)(message, field, *index)
                                   : (reflection.*get)(message, field));
}

double Number(const Message& message, const FieldDescriptor* field, const std::optional<int>& index) {
  using R = google::protobuf::Reflection;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Read(message, field, index, &R::GetInt32, &R::GetRepeatedInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return Read(message, field, index, &R::GetInt64, &R::GetRepeatedInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return Read(message, field, index, &R::GetUInt32, &R::GetRepeatedUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Read(message, field, index, &R::GetUInt64, &R::GetRepeatedUInt64);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Read(message, field, index, &R::GetFloat, &R::GetRepeatedFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      return Read(message, field, index, &R::GetBool, &R::GetRepeatedBool);
    default:
      return Read(message, field, index, &R::GetDouble, &R::GetRepeatedDouble);
  }
}

}  // namespace

absl::Status CheckReportPath(const std::string& path) {
  const std::vector<Step> steps = Steps(path);
  const Descriptor* type = v1::Report::descriptor();
  for (size_t i = 0; i < steps.size(); ++i) {
    const FieldDescriptor* field = type->FindFieldByName(steps[i].name);
    if (field == nullptr || field->is_map()) {
      return Bad(path, absl::StrFormat("there is no '%s'; known: %s", steps[i].name, FieldNames(*type)));
    }
    if (field->is_repeated() && steps[i].index.value_or(-1) < 0) {
      return Bad(path, absl::StrFormat("'%s' is a list: say which, as %s[0]", field->name(), field->name()));
    }
    if (!field->is_repeated() && steps[i].index) return Bad(path, absl::StrFormat("'%s' is no list", field->name()));
    const bool last = i + 1 == steps.size();
    if (last && !IsNumber(*field)) {
      const Descriptor* group = field->message_type();
      return Bad(path, group == nullptr ? "it is a text" : "it is a group of " + FieldNames(*group));
    }
    if (!last && field->message_type() == nullptr) {
      return Bad(path, absl::StrFormat("'%s' is no group", field->name()));
    }
    type = field->message_type();
  }
  return absl::OkStatus();
}

std::optional<double> FindReportValue(const v1::Report& report, const std::string& path) {
  const Message* message = &report;
  const std::vector<Step> steps = Steps(path);
  for (size_t i = 0; i < steps.size(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(steps[i].name);
    const auto& reflection = *message->GetReflection();
    const std::optional<int>& index = steps[i].index;
    if (index && *index >= reflection.FieldSize(*message, field)) return std::nullopt;
    if (!index && field->has_presence() && !reflection.HasField(*message, field)) return std::nullopt;
    if (i + 1 == steps.size()) {
      const double number = Number(*message, field, index);
      return std::isfinite(number) ? std::optional<double>(number) : std::nullopt;
    }
    message = index ? &reflection.GetRepeatedMessage(*message, field, *index) : &reflection.GetMessage(*message, field);
  }
  return std::nullopt;
}

}  // namespace lathe
