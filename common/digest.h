#ifndef LATHE_COMMON_DIGEST_H_
#define LATHE_COMMON_DIGEST_H_

// SHA-256, the name of every artifact. In text form it is 64 lower-case hex digits.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

using Digest = std::array<uint8_t, 32>;

// One digest over bytes that arrive in pieces. One thread at a time; movable.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::Span<const uint8_t> bytes);
  void Update(std::string_view bytes);
  // REQUIRES: called once; nothing is called afterwards.
  Digest Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Any bytes as lower-case hex.
std::string ToHex(absl::Span<const uint8_t> bytes);

// The digest of `bytes`, as hex.
std::string HexDigest(std::string_view bytes);
std::string HexDigest(const Digest& digest);

// The digest of a file's content. Errors as in ErrnoToStatus, naming the path.
absl::StatusOr<Digest> Sha256File(const std::string& path);

// True for exactly 64 lower-case hex digits.
bool IsHexDigest(std::string_view text);

// INVALID_ARGUMENT BAD_DIGEST, with the text (shortened): not 64 lower-case hex digits.
absl::StatusOr<Digest> ParseHexDigest(std::string_view text);

}  // namespace lathe

#endif  // LATHE_COMMON_DIGEST_H_
