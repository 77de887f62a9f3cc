#ifndef LATHE_CLIENT_CLI_SIZE_TEXT_H_
#define LATHE_CLIENT_CLI_SIZE_TEXT_H_

#include <string>

#include "lathe/v1/size.pb.h"

namespace lathe {

// Where the bytes of a model are: weights by operator and by type with their zeros, the largest constants, what the
// rest is, and what a download costs.
std::string SizeText(const v1::SizeOfModel& size);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_SIZE_TEXT_H_
