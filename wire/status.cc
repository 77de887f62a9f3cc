#include "wire/status.h"

#include <algorithm>
#include <vector>

#include "google/rpc/error_details.pb.h"

namespace lathe {
namespace {

constexpr char kDomain[] = "lathe";
constexpr size_t kViolationsMax = 20;
// The message travels twice in a trailer (grpc-message, percent-encoded, and inside the details).
constexpr size_t kTrailerMessageBytesMax = 1500;
constexpr size_t kTrailerViolationBytesMax = 150;
constexpr int kRetrySeconds = 1;

absl::StatusCode Code(int number) {
  const bool known = number > 0 && number <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return known ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown;
}

// The parts put together again; the message is the sender's, also where MakeViolationsError would word it otherwise.
absl::Status Assemble(absl::StatusCode code, const std::string& reason, const std::string& message,
                      const std::vector<FieldViolation>& violations) {
  absl::Status status(code, message);
  if (!violations.empty()) {
    MakeViolationsError(violations).ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
      status.SetPayload(url, payload);
    });
  }
  if (!reason.empty()) {
    MakeError(code, reason, message).ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
      status.SetPayload(url, payload);
    });
  }
  return status;
}

// At a character's border, so that the text stays UTF-8.
std::string Cut(std::string text, size_t size_max) {
  if (text.size() <= size_max) return text;
  size_t end = size_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "...";
}

}  // namespace

internal::v1::ExecutorResult::Error ExecutorErrorFromStatus(const absl::Status& status) {
  internal::v1::ExecutorResult::Error error;
  error.set_code(static_cast<int>(status.code()));
  error.set_reason(ReasonOf(status));
  error.set_message(std::string(status.message()));
  for (const FieldViolation& violation : ViolationsOf(status)) {
    auto* added = error.add_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  return error;
}

absl::Status StatusFromExecutorError(const internal::v1::ExecutorResult::Error& error) {
  std::vector<FieldViolation> violations;
  for (const auto& violation : error.violations()) violations.push_back({violation.field(), violation.description()});
  return Assemble(Code(error.code()), error.reason(), error.message(), violations);
}

google::rpc::Status RpcFromStatus(const absl::Status& status, ErrorRoom room,
                                  const std::map<std::string, std::string>& metadata) {
  google::rpc::Status rpc;
  rpc.set_code(static_cast<int>(status.code()));
  if (status.ok()) return rpc;
  const bool trailer = room == ErrorRoom::kTrailer;
  const std::string message(status.message());
  rpc.set_message(trailer ? Cut(message, kTrailerMessageBytesMax) : message);
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain(kDomain);
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  rpc.add_details()->PackFrom(info);
  const std::vector<FieldViolation> violations = ViolationsOf(status);
  google::rpc::BadRequest bad_request;
  for (size_t i = 0; i < std::min(violations.size(), kViolationsMax); ++i) {
    auto* added = bad_request.add_field_violations();
    added->set_field(trailer ? Cut(violations[i].field, kTrailerViolationBytesMax) : violations[i].field);
    added->set_description(trailer ? Cut(violations[i].description, kTrailerViolationBytesMax)
                                   : violations[i].description);
  }
  if (!violations.empty()) rpc.add_details()->PackFrom(bad_request);
  if (status.code() == absl::StatusCode::kUnavailable) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetrySeconds);
    rpc.add_details()->PackFrom(retry);
  }
  return rpc;
}

absl::Status StatusFromRpc(const google::rpc::Status& error) {
  if (error.code() == 0) return absl::OkStatus();
  std::string reason;
  std::vector<FieldViolation> violations;
  for (const google::protobuf::Any& detail : error.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    if (detail.UnpackTo(&info)) reason = info.reason();
    if (detail.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        violations.push_back({violation.field(), violation.description()});
      }
    }
  }
  return Assemble(Code(error.code()), reason, error.message(), violations);
}

}  // namespace lathe
