#include "wire/utf8.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "common/utf8.h"

namespace lathe {

void MakeUtf8(google::protobuf::Message* message) {
  using Field = google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const Field*> fields;
  reflection.ListFields(*message, &fields);
  for (const Field* field : fields) {
    if (field->type() != Field::TYPE_STRING && field->cpp_type() != Field::CPPTYPE_MESSAGE) continue;
    const bool is_text = field->type() == Field::TYPE_STRING;
    if (!field->is_repeated()) {
      if (is_text) {
        reflection.SetString(message, field, CleanUtf8(reflection.GetString(*message, field)));
      } else {
        MakeUtf8(reflection.MutableMessage(message, field));
      }
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      if (is_text) {
        reflection.SetRepeatedString(message, field, i, CleanUtf8(reflection.GetRepeatedString(*message, field, i)));
      } else {
        MakeUtf8(reflection.MutableRepeatedMessage(message, field, i));
      }
    }
  }
}

}  // namespace lathe
