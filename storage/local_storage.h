#ifndef LATHE_STORAGE_LOCAL_STORAGE_H_
#define LATHE_STORAGE_LOCAL_STORAGE_H_

#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "storage/artifacts.h"
#include "storage/job_store.h"

namespace lathe {

struct LocalStorageOptions {
  // Uploads are refused when less of the disk is free.
  double free_fraction_min = 0.05;
  // Free part of the disk, 0..1; unset: asks the file system.
  std::function<double()> free_fraction = {};
};

// Everything that one machine keeps, in one data directory:
//   lathe.db (SQLite)   cas/ (artifacts)   uploads/ (unfinished)   jobs/ (of running executors)   quarantine/   lock
// One process at a time: it holds the lock until destruction. Thread-safe after Open.
class LocalStorage {
 public:
  // Makes what is missing, removes what a crash left half-done. FAILED_PRECONDITION DATA_DIR_LOCKED: another server
  // uses it, the message names its pid. FAILED_PRECONDITION SCHEMA_TOO_NEW: a newer version wrote it.
  // FAILED_PRECONDITION NETWORK_FILE_SYSTEM: SQLite's WAL needs a local disk. Errors of the file system as in
  // ErrnoToStatus. `clock` must outlive the object.
  static absl::StatusOr<std::unique_ptr<LocalStorage>> Open(const std::string& data_dir,
                                                            const LocalStorageOptions& options, const Clock& clock);
  ~LocalStorage();
  LocalStorage(const LocalStorage&) = delete;
  LocalStorage& operator=(const LocalStorage&) = delete;

  JobStore& jobs();
  Artifacts& artifacts();
  // Folder for the job directories of executors; on the same disk as the artifacts, so that hard links work.
  const std::string& jobs_dir() const;

 private:
  struct Parts;
  explicit LocalStorage(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_LOCAL_STORAGE_H_
