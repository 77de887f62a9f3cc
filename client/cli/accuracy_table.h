#ifndef LATHE_CLIENT_CLI_ACCURACY_TABLE_H_
#define LATHE_CLIENT_CLI_ACCURACY_TABLE_H_

#include <google/protobuf/repeated_field.h>

#include <string>

#include "lathe/v1/report.pb.h"

namespace lathe {

// The figures of one or two models and whether the difference is real.
std::string AccuracyText(const v1::AccuracyReport& accuracy);

// Every gate with its value and by how much it was met or missed; "" when there are none.
std::string GatesText(const google::protobuf::RepeatedPtrField<v1::GateReport>& gates);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_ACCURACY_TABLE_H_
