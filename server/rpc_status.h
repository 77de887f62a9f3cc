#ifndef LATHE_SERVER_RPC_STATUS_H_
#define LATHE_SERVER_RPC_STATUS_H_

// The one place that turns errors of the project into answers of methods.

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "common/status.h"

namespace lathe {

// The same error with one more entry of ErrorInfo.metadata, e.g. committed_size.
absl::Status WithMetadata(absl::Status status, std::string_view key, std::string_view value);

// The same error with texts that fit and are UTF-8, as proto3 strings must be: messages quote names of hostile models.
// At least one violation stays.
absl::Status WithCleanTexts(const absl::Status& status, size_t message_bytes_max, size_t violation_bytes_max);

// UNAVAILABLE DRAINING.
absl::Status DrainingError();

// The error with serialized google.rpc.Status details: exactly one ErrorInfo {reason, domain "lathe", metadata};
// BadRequest with the violations, if there are any; RetryInfo where a later try may succeed (UNAVAILABLE, QUEUE_FULL,
// BUSY). Texts are cut so that the trailers stay below the 8 KiB that clients accept.
grpc::Status ToGrpcStatus(const absl::Status& status);

// "OK", "NOT_FOUND", ...: the code's canonical name, for metrics and logs.
std::string CodeName(const absl::Status& status);

}  // namespace lathe

#endif  // LATHE_SERVER_RPC_STATUS_H_
