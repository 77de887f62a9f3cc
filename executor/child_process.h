#ifndef LATHE_EXECUTOR_CHILD_PROCESS_H_
#define LATHE_EXECUTOR_CHILD_PROCESS_H_

// One child process in a session of its own, with two pipes to read: its events (its file descriptor 3) and its output
// (stdout and stderr). Knows processes; what the bytes mean is supervisor.cc's.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "common/status.h"

namespace lathe {

struct ChildOptions {
  std::string program;            // path of the executable; the only argument it gets
  std::string working_directory;  // absolute or relative to ours
  // For child_setup.h. The environment is otherwise empty but for a fixed list (child_process.cc, kPassedVariables).
  uint64_t address_space_bytes = 0;
  uint64_t file_bytes = 0;
  uint64_t cpu_seconds = 0;
};

// How a process ended: exactly one of the two is not negative.
struct ChildEnd {
  int exit_code = -1;
  int signal = -1;
};

// A running child; the destructor kills whatever is left of it. One thread, and it must be the one that called Start:
// the kernel ends the child when that thread ends.
class ChildProcess {
 public:
  // NOT_FOUND EXECUTOR_MISSING: no such program, or it may not be run; the message names the path. Otherwise what errno
  // says. posix_spawn, never fork alone: callers have threads (gRPC, TBB) whose locks a forked copy would inherit.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const ChildOptions& options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Blocks until a pipe can be read, the child ended, or `timeout` passed.
  void Wait(std::chrono::milliseconds timeout);

  // What the pipe holds now, at most 64 KiB; "" when it is empty, and for ever after its end.
  std::string ReadEvents() { return ReadPipe(&events_); }
  std::string ReadOutput() { return ReadPipe(&output_); }

  // The child itself ended (others of its group may live); it stays a zombie until Reap.
  bool HasEnded() const;

  // To the whole process group. REQUIRES: Reap was not called.
  void Signal(int signal_number) const;

  // Resident size now, 0 when it cannot be read. Also keeps the largest for peak_rss_bytes().
  uint64_t PollResidentBytes();

  // Kills what is left of the group, waits for the child and says how it ended. Idempotent.
  ChildEnd Reap();

  // The high-water mark seen by PollResidentBytes and Reap.
  uint64_t peak_rss_bytes() const { return peak_rss_bytes_; }

 private:
  ChildProcess(pid_t pid, int pidfd, int events, int output);
  static std::string ReadPipe(int* fd);

  pid_t pid_;
  int pidfd_;            // -1 on kernels without pidfd_open: Wait then returns more often
  int events_, output_;  // -1 after their end
  uint64_t own_peak_at_start_ = 0;
  uint64_t peak_rss_bytes_ = 0;
  bool reaped_ = false;
  ChildEnd end_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_CHILD_PROCESS_H_
