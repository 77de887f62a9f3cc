#ifndef LATHE_WIRE_STATUS_H_
#define LATHE_WIRE_STATUS_H_

// absl::Status <-> the two messages that carry errors: the executor's answer, and google.rpc.Status (in Job.error and
// in the trailers of RPCs). Code, reason, message and violations survive a round trip.

#include <map>
#include <string>

#include "common/status.h"
#include "google/rpc/status.pb.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

// REQUIRES: !status.ok().
internal::v1::ExecutorResult::Error ExecutorErrorFromStatus(const absl::Status& status);

// Never OK: code 0 or an unknown one becomes UNKNOWN.
absl::Status StatusFromExecutorError(const internal::v1::ExecutorResult::Error& error);

// Trailers of an RPC have 8 KiB for everything, so texts are cut there; an error stored in a job keeps its whole text.
// In both, at most 20 violations are kept.
enum class ErrorRoom { kJob, kTrailer };

// One ErrorInfo {reason, domain "lathe", metadata}; BadRequest when there are violations; RetryInfo (1 s) with
// UNAVAILABLE. An OK status gives code 0 and no details.
google::rpc::Status RpcFromStatus(const absl::Status& status, ErrorRoom room,
                                  const std::map<std::string, std::string>& metadata = {});

// OK for code 0. Details of other kinds are dropped.
absl::Status StatusFromRpc(const google::rpc::Status& error);

}  // namespace lathe

#endif  // LATHE_WIRE_STATUS_H_
