#ifndef LATHE_CLIENT_CLI_COMPARISON_TABLE_H_
#define LATHE_CLIENT_CLI_COMPARISON_TABLE_H_

#include <string>

#include "lathe/v1/comparison.pb.h"

namespace lathe {

// What `lathe compare` prints: the error of every output, the ten largest causes with what to try for each, the
// operators whose outputs are furthest off, what has no counterpart, warnings.
std::string ComparisonTable(const v1::Comparison& comparison);

// The list of causes alone, as the report of optimize jobs has it too; "" when there are none.
std::string CausesText(const google::protobuf::RepeatedPtrField<v1::RankedCause>& causes, int rows_max);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_COMPARISON_TABLE_H_
