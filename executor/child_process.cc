#include "executor/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "executor/child_setup.h"

namespace lathe {
namespace {

// Where the runtime's library is, where temporary files go, what tests and sanitizers switch on. Everything else
// (tokens, proxies, preloads) stays behind. LD_LIBRARY_PATH is here because the dynamic linker needs it to start the
// program at all where libraries are not in the system's folders.
constexpr const char* kPassedVariables[] = {"LATHE_LITERT_LIB", "LATHE_WHEEL_DIR", "LATHE_TEST_HOOKS", "TMPDIR",
                                            "LD_LIBRARY_PATH",  "ASAN_OPTIONS",    "UBSAN_OPTIONS",    "TSAN_OPTIONS"};

constexpr int kEventsFd = 3;
// Pipe ends are moved here so that no dup2 in the child overwrites one that is still to be used.
constexpr int kFirstSafeFd = 10;
constexpr size_t kReadBytesMax = 64 << 10;

struct Pipe {
  int read = -1, write = -1;
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read >= 0) close(read);
    if (write >= 0) close(write);
  }
  int ReleaseRead() { return std::exchange(read, -1); }
};

absl::Status OpenPipe(Pipe* pipe_ends) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoToStatus(errno, "pipe", "to an executor");
  pipe_ends->read = ends[0];
  pipe_ends->write = fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstSafeFd);
  const int error = errno;
  close(ends[1]);
  if (pipe_ends->write < 0) return ErrnoToStatus(error, "pipe", "to an executor");
  fcntl(pipe_ends->read, F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

std::vector<std::string> MakeEnvironment(const ChildOptions& options) {
  std::vector<std::string> environment = {
      absl::StrCat(kParentPidVariable, "=", getpid()),
      absl::StrCat(kAddressSpaceVariable, "=", options.address_space_bytes),
      absl::StrCat(kFileSizeVariable, "=", options.file_bytes),
      absl::StrCat(kCpuSecondsVariable, "=", options.cpu_seconds),
      "LC_ALL=C.UTF-8",
      "OMP_WAIT_POLICY=passive",
      // Large blocks in large pages: a tenth of a job's time is page faults otherwise.
      "GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
  };
  for (const char* name : kPassedVariables) {
    if (const char* value = getenv(name)) environment.push_back(absl::StrCat(name, "=", value));
  }
  return environment;
}

// Own session, default signals, nothing blocked, job directory, the three standard descriptors and the event pipe.
class SpawnSettings {
 public:
  SpawnSettings(const ChildOptions& options, int events_fd, int output_fd) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output_fd, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, events_fd, kEventsFd);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kEventsFd + 1);
    posix_spawn_file_actions_addchdir_np(&actions_, options.working_directory.c_str());
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // 0 or errno.
  int Spawn(const std::string& program, std::vector<std::string> environment, pid_t* pid) {
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    return posix_spawn(pid, program.c_str(), &actions_, &attributes_, arguments, variables.data());
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

absl::Status CheckProgram(const std::string& program) {
  if (access(program.c_str(), X_OK) == 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kNotFound, "EXECUTOR_MISSING",
                   absl::StrFormat("cannot run the executor '%s': %s. lathe-executor belongs beside the program that "
                                   "starts it; install it there or name it with --executor",
                                   program, strerror(errno)));
}

uint64_t OwnPeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// An absolute path stays right after the child changed its folder.
std::string Absolute(const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  free(resolved);
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildOptions& options) {
  const std::string program = Absolute(options.program);
  LATHE_RETURN_IF_ERROR(CheckProgram(program));
  Pipe events, output;
  LATHE_RETURN_IF_ERROR(OpenPipe(&events));
  LATHE_RETURN_IF_ERROR(OpenPipe(&output));
  SpawnSettings settings(options, events.write, output.write);
  pid_t pid = 0;
  if (const int error = settings.Spawn(program, MakeEnvironment(options), &pid); error != 0) {
    return ErrnoToStatus(error, absl::StrFormat("cannot start an executor in '%s' with", options.working_directory),
                         program);
  }
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, pidfd, events.ReleaseRead(), output.ReleaseRead()));
}

ChildProcess::ChildProcess(pid_t pid, int pidfd, int events, int output)
    : pid_(pid), pidfd_(pidfd), events_(events), output_(output), own_peak_at_start_(OwnPeakBytes()) {}

ChildProcess::~ChildProcess() {
  Reap();
  for (int fd : {pidfd_, events_, output_}) {
    if (fd >= 0) close(fd);
  }
}

void ChildProcess::Wait(std::chrono::milliseconds timeout) {
  // poll ignores negative descriptors, so ended pipes cost nothing.
  pollfd fds[] = {{events_, POLLIN, 0}, {output_, POLLIN, 0}, {pidfd_, POLLIN, 0}};
  const int64_t milliseconds = pidfd_ >= 0 ? timeout.count() : std::min<int64_t>(timeout.count(), 10);
  poll(fds, std::size(fds), static_cast<int>(std::max<int64_t>(milliseconds, 0)));
}

std::string ChildProcess::ReadPipe(int* fd) {
  if (*fd < 0) return "";
  std::string bytes(kReadBytesMax, '\0');
  ssize_t size = -1;
  do {
    size = read(*fd, bytes.data(), bytes.size());
  } while (size < 0 && errno == EINTR);
  if (size > 0) {
    bytes.resize(static_cast<size_t>(size));
    return bytes;
  }
  if (size == 0 || errno != EAGAIN) {
    close(*fd);
    *fd = -1;
  }
  return "";
}

bool ChildProcess::HasEnded() const {
  if (reaped_) return true;
  siginfo_t info{};
  // WNOWAIT leaves the zombie: its process id, and so its group's, cannot be taken by another until Reap.
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
}

void ChildProcess::Signal(int signal_number) const {
  if (!reaped_) kill(-pid_, signal_number);
}

uint64_t ChildProcess::PollResidentBytes() {
  const std::string path = absl::StrCat("/proc/", pid_, "/statm");
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) return 0;
  uint64_t size_pages = 0, resident_pages = 0;
  const int fields = fscanf(file, "%lu %lu", &size_pages, &resident_pages);
  fclose(file);
  if (fields != 2) return 0;
  const uint64_t bytes = resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  peak_rss_bytes_ = std::max(peak_rss_bytes_, bytes);
  return bytes;
}

ChildEnd ChildProcess::Reap() {
  if (reaped_) return end_;
  kill(-pid_, SIGKILL);  // before the wait: a zombie still holds the group's number
  int status = 0;
  rusage usage{};
  pid_t waited = -1;
  do {
    waited = wait4(pid_, &status, 0, &usage);
  } while (waited < 0 && errno == EINTR);
  reaped_ = true;
  if (waited == pid_ && WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
  if (waited == pid_ && WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
  if (waited != pid_) end_.exit_code = 255;  // somebody else reaped it; the result file cannot be trusted
  // A spawned child starts in our address space, and Linux counts our size into its maximum. Only a larger one is its
  // own.
  const uint64_t peak = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  if (peak > own_peak_at_start_) peak_rss_bytes_ = std::max(peak_rss_bytes_, peak);
  return end_;
}

}  // namespace lathe
