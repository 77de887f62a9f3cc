#ifndef LATHE_CLIENT_CLI_TARGET_TABLE_H_
#define LATHE_CLIENT_CLI_TARGET_TABLE_H_

#include <string>

#include "google/protobuf/repeated_ptr_field.h"
#include "lathe/v1/compatibility.pb.h"

namespace lathe {

// One line a target: which share of operators and multiply-adds it takes. "" for none.
std::string TargetsText(const google::protobuf::RepeatedPtrField<v1::TargetCompatibility>& targets);

// One target, operator by operator: what `lathe inspect --target` prints.
std::string TargetText(const v1::TargetCompatibility& target);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_TARGET_TABLE_H_
