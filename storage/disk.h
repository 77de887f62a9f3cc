#ifndef LATHE_STORAGE_DISK_H_
#define LATHE_STORAGE_DISK_H_

// The few system calls that the directory store is made of.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace lathe {

// Closes its descriptor.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  ~UniqueFd();
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// RESOURCE_EXHAUSTED DISK_LOW for a full disk, else UNAVAILABLE STORAGE_UNAVAILABLE; the message is ErrnoToStatus's.
absl::Status DiskError(int error_number, std::string_view what, const std::string& path);

// OK also when the folder is there.
absl::Status MakeFolder(const std::string& path);
absl::Status SyncPath(const std::string& path);  // a file or folder
// OK also when there is nothing.
absl::Status RemoveFile(const std::string& path);
// Copies a file; `to` must not exist. Not synced.
absl::Status CopyFile(const std::string& from, const std::string& to, unsigned mode);

}  // namespace lathe

#endif  // LATHE_STORAGE_DISK_H_
