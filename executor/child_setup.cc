#include "executor/child_setup.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"

namespace lathe {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitAddressSpace = false;
#else
constexpr bool kLimitAddressSpace = true;
#endif

// The runtime, its delegate library, three files of the job and the pipes need about twenty.
constexpr uint64_t kOpenFilesMax = 64;

absl::StatusOr<uint64_t> NumberFromEnvironment(const char* variable) {
  uint64_t value = 0;
  const char* text = getenv(variable);
  if (text != nullptr && absl::SimpleAtoi(text, &value)) return value;
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOT_A_CHILD",
                   absl::StrFormat("%s is not set: an executor is started by lathe, lathe-server or lathe-worker, "
                                   "never by hand",
                                   variable));
}

absl::Status Limit(decltype(RLIMIT_CORE) resource, const char* name, uint64_t soft, uint64_t hard) {
  rlimit current{};
  if (getrlimit(resource, &current) != 0) current.rlim_max = RLIM_INFINITY;
  // A lower hard limit that the parent already lives under cannot be raised, and need not be.
  rlimit wanted{};
  wanted.rlim_max = std::min<rlim_t>(hard, current.rlim_max);
  wanted.rlim_cur = std::min<rlim_t>(soft, wanted.rlim_max);
  if (setrlimit(resource, &wanted) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("cannot set %s to %d: %s", name, soft, strerror(errno)));
}

absl::Status DieWithParent(uint64_t parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return absl::InternalError(absl::StrFormat("prctl(PR_SET_PDEATHSIG): %s", strerror(errno)));
  }
  // A parent that died before the call above will never be signalled.
  if (static_cast<uint64_t>(getppid()) == parent_pid) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOT_A_CHILD",
                   absl::StrFormat("the parent, process %d, is gone", parent_pid));
}

}  // namespace

absl::Status SetUpChild() {
  LATHE_ASSIGN_OR_RETURN(const uint64_t parent_pid, NumberFromEnvironment(kParentPidVariable));
  LATHE_ASSIGN_OR_RETURN(const uint64_t address_space, NumberFromEnvironment(kAddressSpaceVariable));
  LATHE_ASSIGN_OR_RETURN(const uint64_t file_bytes, NumberFromEnvironment(kFileSizeVariable));
  LATHE_ASSIGN_OR_RETURN(const uint64_t cpu_seconds, NumberFromEnvironment(kCpuSecondsVariable));
  LATHE_RETURN_IF_ERROR(DieWithParent(parent_pid));
  LATHE_RETURN_IF_ERROR(Limit(RLIMIT_CORE, "RLIMIT_CORE", 0, 0));
  LATHE_RETURN_IF_ERROR(Limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", kOpenFilesMax, kOpenFilesMax));
  LATHE_RETURN_IF_ERROR(Limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", file_bytes, file_bytes));
  // SIGXCPU at the soft limit, SIGKILL two seconds later.
  LATHE_RETURN_IF_ERROR(Limit(RLIMIT_CPU, "RLIMIT_CPU", cpu_seconds, cpu_seconds + 2));
  if (kLimitAddressSpace) {
    LATHE_RETURN_IF_ERROR(Limit(RLIMIT_AS, "RLIMIT_AS", address_space, address_space));
  }
  // Sandboxing (no new privileges, Landlock, seccomp, no network) comes later; its place is here, after the limits and
  // before the first byte of a model is opened.
  return absl::OkStatus();
}

}  // namespace lathe
