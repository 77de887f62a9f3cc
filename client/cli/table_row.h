#ifndef LATHE_CLIENT_CLI_TABLE_ROW_H_
#define LATHE_CLIENT_CLI_TABLE_ROW_H_

// The pieces that the tables of reports are made of. Rows end with a newline.

#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace lathe {

// A name, two figures, and what the second is to the first.
std::string Row(std::string_view name, std::string_view before, std::string_view after, std::string_view change);
// A row of two sizes and their quotient.
std::string SizeRow(std::string_view name, uint64_t before, uint64_t after);

std::string Milliseconds(double ms);    // 1.26 ms; three digits below 1 ms
std::string Percent(double share);      // 0.123 is 12.3 %
std::string BytesText(uint64_t bytes);  // 13.98 MB; units of 1000

// One line each, after an empty one; "" when there are none.
std::string WarningsText(const google::protobuf::RepeatedPtrField<std::string>& warnings);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_TABLE_ROW_H_
