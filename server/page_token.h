#ifndef LATHE_SERVER_PAGE_TOKEN_H_
#define LATHE_SERVER_PAGE_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace lathe {

// A position in a list, bound to the list's filter, as opaque text. "" for cursor 0 (no more).
std::string MakePageToken(int64_t cursor, std::string_view filter);

// The cursor of a token; 0 for "". INVALID_ARGUMENT BAD_REQUEST for page_token: not a token of this API, or made with
// another filter.
absl::StatusOr<int64_t> ParsePageToken(std::string_view token, std::string_view filter);

// A page size as asked for: 0 is 50, above 1,000 is 1,000.
int ClampPageSize(uint32_t asked);

}  // namespace lathe

#endif  // LATHE_SERVER_PAGE_TOKEN_H_
