#include "server/rpc_status.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/utf8.h"
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

}  // namespace

absl::Status WithCleanTexts(const absl::Status& status, size_t message_bytes_max, size_t violation_bytes_max) {
  std::vector<FieldViolation> violations;
  size_t bytes = 0;
  for (const FieldViolation& violation : ViolationsOf(status)) {
    violations.push_back({CleanUtf8(violation.field, 150), CleanUtf8(violation.description, 400)});
    bytes += violations.back().field.size() + violations.back().description.size() + 8;
    if (bytes > violation_bytes_max && violations.size() > 1) {
      violations.pop_back();
      break;
    }
  }
  absl::Status clean(status.code(),
                     CleanUtf8(std::string_view(status.message().data(), status.message().size()), message_bytes_max));
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
