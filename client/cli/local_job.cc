#include "client/cli/local_job.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "client/cli/job_inputs.h"
#include "client/cli/terminal.h"
#include "common/file.h"
#include "executor/supervisor.h"

namespace lathe {
namespace {

using internal::v1::ExecutorEvent;

// A person waits and has Ctrl-C; the limit only ends what was forgotten.
constexpr std::chrono::hours kWallLimit{24};

// Three quarters of the machine: a job that needs more would make it swap.
uint64_t MemoryBudget() {
  const auto pages = static_cast<uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 0L));
  const auto page_bytes = static_cast<uint64_t>(std::max(sysconf(_SC_PAGESIZE), 1L));
  return std::max(pages * page_bytes / 4 * 3, uint64_t{1} << 30);
}

void ShowProgress(const ExecutorEvent::Progress& progress, ProgressLine* line) {
  std::string what = progress.phase();
  if (!progress.pass().empty()) what += " " + progress.pass();
  if (progress.samples_total() > 0) {
    what += absl::StrFormat(" %d/%d", progress.samples_done(), progress.samples_total());
  }
  line->Show(progress.phase() + progress.pass(), what, progress.fraction());
}

}  // namespace

absl::StatusOr<LocalJob> LocalJob::Create() {
  const char* base = getenv("TMPDIR");
  std::string folder = std::string(base == nullptr || *base == '\0' ? "/tmp" : base) + "/lathe-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return ErrnoToStatus(errno, "cannot make a job directory", folder);
  LocalJob job(folder);
  std::error_code error;
  std::filesystem::create_directory(job.Path("input"), error);
  if (error) return ErrnoToStatus(error.value(), "cannot make", job.Path("input"));
  return job;
}

LocalJob::~LocalJob() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

absl::StatusOr<std::string> LocalJob::AddInput(const std::string& what, const std::string& path,
                                               const std::string& name) {
  LATHE_RETURN_IF_ERROR(CheckReadable(what, path));
  const std::string relative = "input/" + name;
  std::error_code error;
  // link() would link a symbolic link itself.
  const std::filesystem::path source = std::filesystem::canonical(path, error);
  if (!error) std::filesystem::create_hard_link(source, Path(relative), error);
  if (error) {
    error.clear();
    std::filesystem::copy_file(path, Path(relative), error);
  }
  if (error) return ErrnoToStatus(error.value(), "cannot copy into the job directory: " + what, path);
  return relative;
}

absl::StatusOr<internal::v1::ExecutorResult> LocalJob::Run(internal::v1::ExecutorSpec spec,
                                                           std::optional<uint32_t> threads, bool show_progress) {
  ExecutorLaunch launch;
  LATHE_ASSIGN_OR_RETURN(launch.executor_path, FindExecutor(""));
  launch.job_dir = folder_;
  launch.limits.wall = kWallLimit;
  launch.limits.memory_bytes = MemoryBudget();
  spec.set_threads(threads.value_or(std::max(1u, std::thread::hardware_concurrency())));
  spec.set_memory_bytes(launch.limits.memory_bytes);
  launch.spec = std::move(spec);
  ProgressLine line;
  const auto on_progress = [&](const ExecutorEvent::Progress& progress) {
    if (show_progress) ShowProgress(progress, &line);
  };
  return RunExecutor(launch, on_progress, InterruptToken(), nullptr);
}

}  // namespace lathe
