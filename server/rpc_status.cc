#include "server/rpc_status.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "wire/status.h"

namespace lathe {
namespace {

constexpr absl::string_view kMetadataUrl = "type.lathe/metadata/";

std::map<std::string, std::string> MetadataOf(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&metadata](absl::string_view url, const absl::Cord& value) {
    if (absl::ConsumePrefix(&url, kMetadataUrl)) metadata[std::string(url)] = std::string(value);
  });
  return metadata;
}

// Seconds after which a caller of a full but healthy server may try again; 0: the error does not pass by itself.
int RetrySeconds(const std::string& reason) {
  if (reason == "QUEUE_FULL") return 5;
  return reason == "BUSY" ? 1 : 0;
}

// Trailers have 8 KiB. The message travels twice, once percent-encoded (hostile bytes: three times as long).
constexpr size_t kTrailerMessageBytesMax = 1000;
constexpr size_t kTrailerViolationBytesMax = 3500;

// Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
size_t CharacterBytes(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80                     ? 1
                        : (lead >= 0xC2 && lead < 0xE0) ? 2
                        : (lead & 0xF0) == 0xE0         ? 3
                        : (lead >= 0xF0 && lead < 0xF5) ? 4
                                                        : 0;
  if (length > text.size()) return 0;
  const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  return std::all_of(text.begin() + 1, text.begin() + std::max<size_t>(length, 1), is_continuation) ? length : 0;
}

// At most `size_max` bytes of `text` (and "..." if there are more), every byte that is no UTF-8 as '?'.
std::string CleanText(absl::string_view text, size_t size_max) {
  std::string clean;
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    if (clean.size() + std::max<size_t>(length, 1) > size_max) return clean + "...";
    clean.append(length == 0 ? "?" : std::string(text.substr(0, length)));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

}  // namespace

absl::Status WithCleanTexts(const absl::Status& status, size_t message_bytes_max, size_t violation_bytes_max) {
  std::vector<FieldViolation> violations;
  size_t bytes = 0;
  for (const FieldViolation& violation : ViolationsOf(status)) {
    violations.push_back({CleanText(violation.field, 150), CleanText(violation.description, 400)});
    bytes += violations.back().field.size() + violations.back().description.size() + 8;
    if (bytes > violation_bytes_max && violations.size() > 1) {
      violations.pop_back();
      break;
    }
  }
  absl::Status clean(status.code(), CleanText(status.message(), message_bytes_max));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { clean.SetPayload(url, payload); });
  if (violations.empty()) return clean;
  MakeViolationsError(violations).ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    clean.SetPayload(url, payload);
  });
  MakeError(status.code(), ReasonOf(status), "").ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    clean.SetPayload(url, payload);
  });
  return clean;
}

absl::Status WithMetadata(absl::Status status, std::string_view key, std::string_view value) {
  status.SetPayload(std::string(kMetadataUrl) + std::string(key),
                    absl::Cord(absl::string_view(value.data(), value.size())));
  return status;
}

absl::Status DrainingError() {
  return MakeError(absl::StatusCode::kUnavailable, "DRAINING",
                   "the server is shutting down; try again in a moment, or at another server");
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::Status clean = WithCleanTexts(status, kTrailerMessageBytesMax, kTrailerViolationBytesMax);
  google::rpc::Status proto = RpcFromStatus(clean, ErrorRoom::kTrailer, MetadataOf(clean));
  if (const int seconds = RetrySeconds(ReasonOf(status)); seconds > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(seconds);
    proto.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), proto.message(), proto.SerializeAsString());
}

std::string CodeName(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

}  // namespace lathe
