#ifndef LATHE_WORKER_JOB_DIRECTORY_H_
#define LATHE_WORKER_JOB_DIRECTORY_H_

#include <memory>
#include <string>

#include "common/status.h"
#include "storage/artifact_store.h"
#include "storage/job_store.h"

namespace lathe {

// The folder of one attempt, removed with everything in it at destruction.
class JobDirectory {
 public:
  // JOBS_DIR/ID-ATTEMPT-TOKEN with input/, where every input of the job lies under its digest. Errors of
  // ArtifactStore::LinkTo; what was made is removed again.
  static absl::StatusOr<std::unique_ptr<JobDirectory>> Make(const std::string& jobs_dir, const JobRecord& job,
                                                            ArtifactStore& store);
  ~JobDirectory();
  JobDirectory(const JobDirectory&) = delete;
  JobDirectory& operator=(const JobDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit JobDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Removes what an earlier process left in `jobs_dir`; makes the folder if it is missing.
absl::Status SweepJobDirectories(const std::string& jobs_dir);

}  // namespace lathe

#endif  // LATHE_WORKER_JOB_DIRECTORY_H_
