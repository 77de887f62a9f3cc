#include "storage/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "common/file.h"

namespace lathe {
namespace {

// SQLite's WAL shares memory between processes; NFS, SMB, CIFS and SMB2 have none. Numbers from linux/magic.h and
// fs/smb/client.
absl::Status RefuseNetworkFileSystem(const std::string& path) {
  static const std::set<uint64_t> kNetwork{0x6969, 0x517B, 0xFF534D42, 0xFE534D42};
  struct statfs info {};
  if (statfs(path.c_str(), &info) != 0) return DiskError(errno, "cannot stat file system of", path);
  if (kNetwork.count(static_cast<uint64_t>(info.f_type) & 0xFFFFFFFF) == 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "NETWORK_FILE_SYSTEM",
                   absl::StrFormat("'%s' is on a network file system: the data directory needs a local disk", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirLock>> DataDirLock::Take(const std::string& data_dir) {
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  if (error) return DiskError(error.value(), "cannot make folder", data_dir);
  LATHE_RETURN_IF_ERROR(RefuseNetworkFileSystem(data_dir));
  const std::string path = data_dir + "/lock";
  // CLOEXEC: executors must not keep the lock of a dead server.
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd.ok()) return DiskError(errno, "cannot open", path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return DiskError(errno, "cannot lock", path);
    const absl::StatusOr<std::string> pid = ReadFile(path, 64);
    return MakeError(absl::StatusCode::kFailedPrecondition, "DATA_DIR_LOCKED",
                     absl::StrFormat("data directory '%s' is used by process %s: stop it or choose another directory",
                                     data_dir, pid.ok() && !pid->empty() ? *pid : "(unknown)"));
  }
  const std::string pid = absl::StrFormat("%d", getpid());
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return DiskError(errno, "cannot write", path);
  }
  return std::unique_ptr<DataDirLock>(new DataDirLock(std::move(fd)));
}

}  // namespace lathe
