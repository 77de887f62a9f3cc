#ifndef LATHE_CLIENT_CLI_LOCAL_JOB_H_
#define LATHE_CLIENT_CLI_LOCAL_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/status.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

// One job on this machine: a temporary job directory (below TMPDIR) and an executor in it. The directory is removed
// with the object. One thread.
class LocalJob {
 public:
  static absl::StatusOr<LocalJob> Create();
  ~LocalJob();
  LocalJob(LocalJob&& other) noexcept : folder_(std::exchange(other.folder_, "")) {}
  LocalJob& operator=(LocalJob&&) = delete;

  // Puts a file into the job by hard link, or by copy from another file system. Returns its path below the job
  // directory, as specs want it: input/NAME. `what` names it in errors, e.g. "model".
  absl::StatusOr<std::string> AddInput(const std::string& what, const std::string& path, const std::string& name);

  // Runs the executor beside this program to its end; Ctrl-C cancels. Shows progress if asked to. `threads` empty: all
  // cores. Errors as RunExecutor.
  absl::StatusOr<internal::v1::ExecutorResult> Run(internal::v1::ExecutorSpec spec, std::optional<uint32_t> threads,
                                                   bool show_progress);

  // Absolute path of something below the job directory.
  std::string Path(const std::string& relative) const { return folder_ + "/" + relative; }

 private:
  explicit LocalJob(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_LOCAL_JOB_H_
