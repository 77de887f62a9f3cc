#include "server/rpc_status.h"

#include <map>
#include <string>

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

}  // namespace

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
  google::rpc::Status proto = RpcFromStatus(status, ErrorRoom::kTrailer, MetadataOf(status));
  if (const int seconds = RetrySeconds(ReasonOf(status)); seconds > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(seconds);
    proto.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), proto.message(), proto.SerializeAsString());
}

std::string CodeName(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

}  // namespace lathe
