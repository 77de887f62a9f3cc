#ifndef LATHE_COMMON_FILE_H_
#define LATHE_COMMON_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

// A whole file mapped read-only. Pages are read when touched and dropped under pressure, so a mapped model costs no
// anonymous memory. The file must not be truncated while mapped (job directories are private to one executor).
class MappedFile {
 public:
  // NotFound: no such file. InvalidArgument: not a regular file. Other codes: what errno says; messages name the path.
  // An empty file maps to an empty span.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  // Lets go of the pages that were touched, which count as the process's memory; they are read again when they are
  // touched again. Thread-safe: readers notice nothing but the time.
  void ReleasePages() const;

 private:
  explicit MappedFile(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}
  absl::Span<const uint8_t> bytes_;
};

// A file written beside its destination and renamed onto it: readers see the old file or the whole new one. The
// temporary file is removed when Commit was not called. One thread.
class AtomicFile {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path);
  ~AtomicFile();
  absl::Status Append(absl::Span<const uint8_t> bytes);
  // fsync, rename, fsync of the folder. The object is closed afterwards, whatever the result.
  absl::Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, int fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}
  std::string path_, temporary_;
  int fd_;
};

// AtomicFile in one call.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// The whole file as text. InvalidArgument above size_bytes_max, with both sizes in the message.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_bytes_max);

// A status for errno `error_number`: "`what` 'path': strerror". ENOENT is NotFound, ENOSPC/EDQUOT/EFBIG
// ResourceExhausted, EACCES/EPERM PermissionDenied, EEXIST AlreadyExists, else Internal.
absl::Status ErrnoToStatus(int error_number, std::string_view what, std::string_view path);

}  // namespace lathe

#endif  // LATHE_COMMON_FILE_H_
