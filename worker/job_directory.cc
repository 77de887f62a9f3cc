#include "worker/job_directory.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "common/log.h"

namespace lathe {
namespace {

absl::Status MakeFolderAt(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                   absl::StrFormat("cannot make folder '%s': %s", path, error.message()));
}

void RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);  // does not follow links
  if (error) {
    Log(LogLevel::kWarning, "job_dir_left", "a job directory cannot be removed",
        {{"path", path}, {"error", error.message()}});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobDirectory>> JobDirectory::Make(const std::string& jobs_dir, const JobRecord& job,
                                                                 ArtifactStore& store) {
  std::unique_ptr<JobDirectory> directory(
      new JobDirectory(absl::StrFormat("%s/%s-%d-%d", jobs_dir, job.key.id, job.attempt, job.token)));
  LATHE_RETURN_IF_ERROR(MakeFolderAt(directory->path() + "/input"));
  // A job may name one artifact twice.
  for (const std::string& sha256 : std::set<std::string>(job.inputs.begin(), job.inputs.end())) {
    LATHE_RETURN_IF_ERROR(store.LinkTo(sha256, directory->path() + "/input/" + sha256));
  }
  return directory;
}

JobDirectory::~JobDirectory() { RemoveTree(path_); }

absl::Status SweepJobDirectories(const std::string& jobs_dir) {
  LATHE_RETURN_IF_ERROR(MakeFolderAt(jobs_dir));
  std::error_code error;
  std::filesystem::directory_iterator entries(jobs_dir, error);
  while (!error && entries != std::filesystem::directory_iterator()) {
    const std::string path = entries->path().string();
    entries.increment(error);
    RemoveTree(path);
  }
  if (!error) return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                   absl::StrFormat("cannot read folder '%s': %s", jobs_dir, error.message()));
}

}  // namespace lathe
