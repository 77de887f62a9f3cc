#include "common/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "common/file.h"

namespace lathe {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// OpenSSL fails here only without memory, and then nothing can go on.
void Require(int result) {
  if (result != 1) std::abort();
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  Require(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(absl::Span<const uint8_t> bytes) {
  if (!bytes.empty()) Require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
}

void Sha256::Update(std::string_view bytes) {
  if (!bytes.empty()) Require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
}

Digest Sha256::Finish() {
  Digest digest{};
  Require(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr));
  return digest;
}

std::string ToHex(absl::Span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string HexDigest(std::string_view bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return HexDigest(sha.Finish());
}

std::string HexDigest(const Digest& digest) { return ToHex(digest); }

absl::StatusOr<Digest> Sha256File(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoToStatus(errno, "cannot open", path);
  Sha256 sha;
  std::vector<uint8_t> buffer(kReadBytes);
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      absl::Status error = ErrnoToStatus(errno, "cannot read", path);
      close(fd);
      return error;
    }
    if (count == 0) break;
    sha.Update(absl::MakeConstSpan(buffer.data(), static_cast<size_t>(count)));
  }
  close(fd);
  return sha.Finish();
}

bool IsHexDigest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return HexValue(c) >= 0; });
}

absl::StatusOr<Digest> ParseHexDigest(std::string_view text) {
  if (!IsHexDigest(text)) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "BAD_DIGEST",
        absl::StrFormat("'%s' is not a SHA-256 digest: give 64 lower-case hex digits", text.substr(0, 80)));
  }
  Digest digest{};
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(HexValue(text[2 * i]) * 16 + HexValue(text[2 * i + 1]));
  }
  return digest;
}

}  // namespace lathe
