// lathe-executor: one attempt of one job in this process. Started by RunExecutor (supervisor.h) with the job directory
// as working directory and the event pipe on descriptor 3; see lathe/internal/v1/executor.proto.

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <new>
#include <string>

#include "common/build_id.h"
#include "common/file.h"
#include "executor/child_setup.h"
#include "executor/event_writer.h"
#include "executor/job.h"
#include "wire/status.h"
#include "wire/utf8.h"

namespace lathe {
namespace {

constexpr int kEventFd = 3;
constexpr uint64_t kSpecBytesMax = uint64_t{4} << 20;
constexpr int kExitOk = 0, kExitFailed = 1, kExitUsage = 2;

absl::StatusOr<internal::v1::ExecutorSpec> ReadSpec() {
  LATHE_ASSIGN_OR_RETURN(std::string bytes, ReadFile("spec.pb", kSpecBytesMax));
  internal::v1::ExecutorSpec spec;
  if (!spec.ParseFromString(bytes)) {
    return MakeError(absl::StatusCode::kInternal, "BAD_SPEC", "spec.pb does not parse");
  }
  if (spec.build_id() != BuildId()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "BUILD_MISMATCH",
                     absl::StrFormat("the caller is build %s and lathe-executor is build %s: install both from one "
                                     "build",
                                     spec.build_id(), BuildId()));
  }
  return spec;
}

absl::StatusOr<internal::v1::ExecutorResult> Work(EventWriter& events) {
  events.Hello();
  LATHE_ASSIGN_OR_RETURN(internal::v1::ExecutorSpec spec, ReadSpec());
  char directory[4096];
  if (getcwd(directory, sizeof directory) == nullptr) return absl::InternalError("the job directory is gone");
  try {
    return RunJob(JobContext{directory, spec, events, CancelToken()});
  } catch (const std::bad_alloc&) {
    // The address space limit of child_setup.h; the libraries below do not report it in another way.
    return MakeError(absl::StatusCode::kResourceExhausted, "MEMORY_BUDGET",
                     "the job needs more memory than it may have: raise the limit or use fewer threads");
  }
}

int Main() {
  if (absl::Status status = SetUpChild(); !status.ok()) {
    fprintf(stderr, "lathe-executor: %s\n", std::string(status.message()).c_str());
    return kExitUsage;
  }
  signal(SIGPIPE, SIG_IGN);
  // What an interpreter gives back goes back to the system, not to a heap where the next phase does not fit into it.
  // (A fixed threshold: by default it grows with every large block that is freed. With a smaller one the packed weights
  // of layers come in mappings of their own, too ragged for large pages: 67,000 page faults instead of 27,000, a tenth
  // of a second of a job on ResNet101V2.)
  mallopt(M_MMAP_THRESHOLD, 1 << 24);
  EventWriter events(kEventFd);
  absl::StatusOr<internal::v1::ExecutorResult> result = Work(events);
  internal::v1::ExecutorResult message;
  if (result.ok()) {
    message = *std::move(result);
  } else {
    *message.mutable_error() = ExecutorErrorFromStatus(result.status());
  }
  MakeUtf8(&message);  // it quotes names of the model
  if (absl::Status status = WriteFileAtomically("out/result.pb", message.SerializeAsString(), Durability::kScratch);
      !status.ok()) {
    fprintf(stderr, "lathe-executor: %s\n", std::string(status.message()).c_str());
    return kExitUsage;
  }
  return result.ok() ? kExitOk : kExitFailed;
}

}  // namespace
}  // namespace lathe

int main() { return lathe::Main(); }
