#ifndef LATHE_STORAGE_DATA_DIR_H_
#define LATHE_STORAGE_DATA_DIR_H_

#include <memory>
#include <string>

#include "common/status.h"
#include "storage/disk.h"

namespace lathe {

// The sole use of a data directory, for as long as the object lives (also across a crash: the kernel drops the lock).
class DataDirLock {
 public:
  // Makes the folder and those above it if they are missing. FAILED_PRECONDITION DATA_DIR_LOCKED, naming the pid of who
  // has it; FAILED_PRECONDITION NETWORK_FILE_SYSTEM; errors of the file system as DiskError.
  static absl::StatusOr<std::unique_ptr<DataDirLock>> Take(const std::string& data_dir);

 private:
  explicit DataDirLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_DATA_DIR_H_
