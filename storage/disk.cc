#include "storage/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "common/file.h"

namespace lathe {

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

absl::Status DiskError(int error_number, std::string_view what, const std::string& path) {
  const absl::Status plain = ErrnoToStatus(error_number, what, path);
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable,
                   full ? "DISK_LOW" : "STORAGE_UNAVAILABLE",
                   std::string_view(plain.message().data(), plain.message().size()));
}

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0750) == 0 || errno == EEXIST) return absl::OkStatus();
  return DiskError(errno, "cannot make folder", path);
}

absl::Status SyncPath(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return DiskError(errno, "cannot open", path);
  if (fsync(fd.get()) != 0) return DiskError(errno, "cannot sync", path);
  return absl::OkStatus();
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return DiskError(errno, "cannot remove", path);
}

absl::Status CopyFile(const std::string& from, const std::string& to, unsigned mode) {
  constexpr size_t kBytes = size_t{1} << 20;
  const UniqueFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.ok()) return DiskError(errno, "cannot open", from);
  const UniqueFd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out.ok()) return DiskError(errno, "cannot create", to);
  std::vector<char> buffer(kBytes);
  while (true) {
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError(errno, "cannot read", from);
    if (count == 0) return absl::OkStatus();
    for (ssize_t done = 0; done < count;) {
      const ssize_t written = write(out.get(), buffer.data() + done, static_cast<size_t>(count - done));
      if (written < 0 && errno != EINTR) return DiskError(errno, "cannot write", to);
      if (written > 0) done += written;
    }
  }
}

}  // namespace lathe
