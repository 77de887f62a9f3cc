#include "common/utf8.h"

#include <algorithm>

namespace lathe {
namespace {

// Bytes of the UTF-8 character that `text` begins with (RFC 3629, overlong forms and surrogates left out); 0 if it
// begins with none. REQUIRES: !text.empty().
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80                     ? 1
                        : (lead >= 0xC2 && lead < 0xE0) ? 2
                        : (lead & 0xF0) == 0xE0         ? 3
                        : (lead >= 0xF0 && lead < 0xF5) ? 4
                                                        : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
  if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

std::string CleanUtf8(std::string_view text, size_t size_max) {
  std::string clean;
  clean.reserve(std::min(text.size(), size_max));
  while (!text.empty()) {
    const size_t length = CharacterBytes(text), taken = std::max<size_t>(length, 1);
    if (taken > size_max - clean.size()) return clean + "...";
    if (length == 0) {
      clean += '?';
    } else {
      clean.append(text.substr(0, length));
    }
    text.remove_prefix(taken);
  }
  return clean;
}

}  // namespace lathe
