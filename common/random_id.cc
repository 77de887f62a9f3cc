#include "common/random_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_format.h"

namespace lathe {
namespace {

template <size_t kCount>
std::array<uint8_t, kCount> RandomBytes() {
  std::array<uint8_t, kCount> bytes{};
  // Up to 256 bytes come whole once the kernel's generator is seeded; only a signal before that can interrupt.
  while (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    if (errno != EINTR) std::abort();
  }
  return bytes;
}

}  // namespace

std::string TimeOrderedId(int64_t now_micros) {
  constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  const uint64_t millis = static_cast<uint64_t>(now_micros) / 1000;
  std::string id(26, '0');
  for (size_t i = 0; i < 10; ++i) id[i] = kAlphabet[(millis >> (5 * (9 - i))) & 31];
  const auto random = RandomBytes<16>();
  for (size_t i = 0; i < 16; ++i) id[10 + i] = kAlphabet[random[i] & 31];
  return id;
}

std::string RandomUuid() {
  auto b = RandomBytes<16>();
  b[6] = static_cast<uint8_t>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<uint8_t>((b[8] & 0x3f) | 0x80);
  return absl::StrFormat("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                         b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool IsResourceId(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.back() == '-') return false;
  if (text[0] < 'a' || text[0] > 'z') return false;
  for (char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

}  // namespace lathe
