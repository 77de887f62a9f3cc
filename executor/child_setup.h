#ifndef LATHE_EXECUTOR_CHILD_SETUP_H_
#define LATHE_EXECUTOR_CHILD_SETUP_H_

// What an executor does to itself first thing in main, before it starts a thread or opens a file. The parent's half is
// child_process.h, which passes the figures in the environment.

#include "common/status.h"

namespace lathe {

// Names of the variables that the parent sets and SetUpChild reads. All are decimal numbers.
inline constexpr char kParentPidVariable[] = "LATHE_PARENT_PID";
inline constexpr char kAddressSpaceVariable[] = "LATHE_LIMIT_ADDRESS_SPACE_BYTES";
inline constexpr char kFileSizeVariable[] = "LATHE_LIMIT_FILE_BYTES";
inline constexpr char kCpuSecondsVariable[] = "LATHE_LIMIT_CPU_SECONDS";

// Ties this process to its parent (the kernel kills it when the parent dies, also when that happened before this call)
// and lowers its resource limits: address space (not under sanitizers, which reserve terabytes), file size, processor
// time, 64 open files, no core dumps. A signal that ends the process is then SIGXFSZ or SIGXCPU; an allocation above
// the address space fails with std::bad_alloc. Opens nothing. FAILED_PRECONDITION NOT_A_CHILD: the variables are
// missing, that is, somebody started the program by hand, or the parent is gone. INTERNAL: a limit cannot be set; the
// message names it. REQUIRES: called by the main thread before any other thread exists.
absl::Status SetUpChild();

}  // namespace lathe

#endif  // LATHE_EXECUTOR_CHILD_SETUP_H_
