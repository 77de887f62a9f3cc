#include "server/page_token.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/digest.h"
#include "server/limits.h"

namespace lathe {
namespace {

// Binds a token to its list. Not a secret: a forged token only picks another place in a list that the caller may read.
std::string FilterMark(std::string_view filter) { return HexDigest(filter).substr(0, 16); }

absl::Status BadToken(const char* why) {
  return MakeViolationsError({{"page_token", absl::StrFormat("%s; begin again with an empty one", why)}});
}

}  // namespace

std::string MakePageToken(int64_t cursor, std::string_view filter) {
  if (cursor == 0) return "";
  return absl::WebSafeBase64Escape(absl::StrFormat("1.%d.%s", cursor, FilterMark(filter)));
}

absl::StatusOr<int64_t> ParsePageToken(std::string_view token, std::string_view filter) {
  if (token.empty()) return 0;
  std::string text;
  if (token.size() > 128 || !absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &text)) {
    return BadToken("is not a token that this server made");
  }
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  int64_t cursor = 0;
  if (parts.size() != 3 || parts[0] != "1" || !absl::SimpleAtoi(parts[1], &cursor) || cursor <= 0) {
    return BadToken("is not a token that this server made");
  }
  if (parts[2] != FilterMark(filter)) return BadToken("was made for a list with another filter");
  return cursor;
}

int ClampPageSize(uint32_t asked) {
  return asked == 0 ? limits::kPageSizeDefault : static_cast<int>(std::min(asked, limits::kPageSizeMax));
}

}  // namespace lathe
