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
  // The file behind a copy of `head`, as one span; the file begins at the next multiple of kBehindAlignment. Errors as
  // Open. REQUIRES: neither is empty.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> OpenBehind(absl::Span<const uint8_t> head,
                                                                      const std::string& path);
  // A multiple of every page size of Linux.
  static constexpr uint64_t kBehindAlignment = uint64_t{1} << 16;
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }
  // Lets go of the pages that were touched, which count as the process's memory; they are read again when they are
  // touched again. Thread-safe: readers notice nothing but the time.
  void ReleasePages() const;
  // The same for the whole pages of a part of the file; other bytes are none of its business.
  void ReleasePages(absl::Span<const uint8_t> part) const;

 private:
  MappedFile(std::string path, absl::Span<const uint8_t> bytes, size_t head_bytes)
      : path_(std::move(path)), bytes_(bytes), head_bytes_(head_bytes) {}
  std::string path_;
  absl::Span<const uint8_t> bytes_;
  size_t head_bytes_;  // before the file begins
};

// Whether a file survives a crash of the machine once it is there. What lies in a job's folder need not: the folder
// ends with the process that made it.
enum class Durability { kSynced, kScratch };

// A file written beside its destination and renamed onto it: readers see the old file or the whole new one. The
// temporary file is removed when Commit was not called. One thread.
class AtomicFile {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path,
                                                            Durability durability = Durability::kSynced);
  ~AtomicFile();
  absl::Status Append(absl::Span<const uint8_t> bytes);
  // Renames; kSynced: after an fsync, and syncs the folder. The object is closed afterwards, whatever the result.
  absl::Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, int fd, Durability durability)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), durability_(durability) {}
  std::string path_, temporary_;
  int fd_;
  Durability durability_;
};

// AtomicFile in one call.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes,
                                 Durability durability = Durability::kSynced);

// Makes `to` the file that `from` is, under which name it goes on, as AtomicFile does: synced, and without a copy where
// the file system can give a file a second name. Only a regular file without other names is taken as it is.
absl::Status PublishFileAtomically(const std::string& from, const std::string& to);

// The whole file as text. InvalidArgument above size_bytes_max, with both sizes in the message.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_bytes_max);

// A status for errno `error_number`: "`what` 'path': strerror". ENOENT is NotFound, ENOSPC/EDQUOT/EFBIG
// ResourceExhausted, EACCES/EPERM PermissionDenied, EEXIST AlreadyExists, else Internal.
absl::Status ErrnoToStatus(int error_number, std::string_view what, std::string_view path);

}  // namespace lathe

#endif  // LATHE_COMMON_FILE_H_
