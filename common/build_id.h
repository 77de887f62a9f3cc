#ifndef LATHE_COMMON_BUILD_ID_H_
#define LATHE_COMMON_BUILD_ID_H_

#include <string_view>

namespace lathe {

// Version of the product, e.g. "0.1.0".
std::string_view Version();

// Identifies the build: version, commit and a digest of the sources. Parent and executor exchange it and refuse to work
// when it differs; it is part of provenance.
std::string_view BuildId();

}  // namespace lathe

#endif  // LATHE_COMMON_BUILD_ID_H_
