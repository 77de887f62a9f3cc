#include "common/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace lathe {
namespace {

// Closes on every path out of a function.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Unique among threads and processes that write the same destination.
std::string TemporaryName(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return absl::StrFormat("%s.%d.%d.tmp", path, getpid(), counter.fetch_add(1));
}

absl::Status SyncFolder(const std::string& folder) {
  FileDescriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoToStatus(errno, "cannot open folder", folder);
  if (fsync(fd.get()) != 0) return ErrnoToStatus(errno, "cannot sync folder", folder);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SizeOfRegularFile(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return ErrnoToStatus(errno, "cannot stat", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrFormat("'%s' is not a regular file", path));
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it has no effect on regular files.
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return ErrnoToStatus(errno, "cannot open", path);
  LATHE_ASSIGN_OR_RETURN(const uint64_t size, SizeOfRegularFile(fd.get(), path));
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(path, {}, 0));
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) return ErrnoToStatus(errno, "cannot map", path);
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, absl::MakeConstSpan(static_cast<const uint8_t*>(address), size), 0));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::OpenBehind(absl::Span<const uint8_t> head,
                                                                         const std::string& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return ErrnoToStatus(errno, "cannot open", path);
  LATHE_ASSIGN_OR_RETURN(const uint64_t size, SizeOfRegularFile(fd.get(), path));
  const uint64_t head_bytes = (head.size() + kBehindAlignment - 1) / kBehindAlignment * kBehindAlignment;
  void* address = mmap(nullptr, head_bytes + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return ErrnoToStatus(errno, "cannot make room to map", path);
  auto* bytes = static_cast<uint8_t*>(address);
  std::shared_ptr<const MappedFile> file(
      new MappedFile(path, absl::MakeConstSpan(bytes, head_bytes + size), head_bytes));
  std::copy(head.begin(), head.end(), bytes);
  if (mprotect(bytes, head_bytes, PROT_READ) != 0 ||
      mmap(bytes + head_bytes, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd.get(), 0) == MAP_FAILED) {
    return ErrnoToStatus(errno, "cannot map", path);
  }
  return file;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

void MappedFile::ReleasePages() const { ReleasePages(bytes_.subspan(head_bytes_)); }

void MappedFile::ReleasePages(absl::Span<const uint8_t> part) const {
  // As numbers: `part` may be anywhere. Never before the file's first page: what lies there would be lost.
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<uintptr_t>(bytes_.data()) + head_bytes_;
  const auto end = reinterpret_cast<uintptr_t>(bytes_.data()) + bytes_.size();
  const auto first = reinterpret_cast<uintptr_t>(part.data()), last = first + part.size();
  if (first < start || last > end) return;
  const uintptr_t from = (first + page - 1) / page * page;
  const uintptr_t to = last == end ? end : last / page * page;
  // A hint: when it fails, the pages stay.
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::string& path, Durability durability) {
  std::string temporary = TemporaryName(path);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoToStatus(errno, "cannot create", temporary);
  return std::unique_ptr<AtomicFile>(new AtomicFile(path, std::move(temporary), fd, durability));
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

absl::Status AtomicFile::Append(absl::Span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoToStatus(errno, "cannot write", temporary_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  const int fd = std::exchange(fd_, -1);
  absl::Status status;
  const bool synced = durability_ == Durability::kSynced;
  if (synced && fsync(fd) != 0) status = ErrnoToStatus(errno, "cannot sync", temporary_);
  if (close(fd) != 0 && status.ok()) status = ErrnoToStatus(errno, "cannot close", temporary_);
  if (status.ok() && rename(temporary_.c_str(), path_.c_str()) != 0) {
    status = ErrnoToStatus(errno, "cannot rename to", path_);
  }
  if (!status.ok()) {
    unlink(temporary_.c_str());
    return status;
  }
  return synced ? SyncFolder(FolderOf(path_)) : absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, Durability durability) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file, AtomicFile::Create(path, durability));
  LATHE_RETURN_IF_ERROR(
      file->Append(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())));
  return file->Commit();
}

absl::Status PublishFileAtomically(const std::string& from, const std::string& to) {
  struct stat info {};
  if (lstat(from.c_str(), &info) != 0) return ErrnoToStatus(errno, "cannot stat", from);
  const std::string temporary = TemporaryName(to);
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1 || link(from.c_str(), temporary.c_str()) != 0) {
    LATHE_ASSIGN_OR_RETURN(const auto source, MappedFile::Open(from));
    LATHE_ASSIGN_OR_RETURN(const auto copy, AtomicFile::Create(to));
    LATHE_RETURN_IF_ERROR(copy->Append(source->bytes()));
    return copy->Commit();
  }
  const FileDescriptor fd(open(temporary.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  absl::Status status;
  if (fd.get() < 0 || fsync(fd.get()) != 0) status = ErrnoToStatus(errno, "cannot sync", temporary);
  if (status.ok() && rename(temporary.c_str(), to.c_str()) != 0) status = ErrnoToStatus(errno, "cannot rename to", to);
  if (status.ok()) return SyncFolder(FolderOf(to));
  unlink(temporary.c_str());
  return status;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_bytes_max) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return ErrnoToStatus(errno, "cannot open", path);
  LATHE_ASSIGN_OR_RETURN(const uint64_t size, SizeOfRegularFile(fd.get(), path));
  if (size > size_bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s' has %d bytes; at most %d are accepted here", path, size, size_bytes_max));
  }
  std::string text(size, '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = read(fd.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoToStatus(errno, "cannot read", path);
    if (count == 0) break;  // it shrank meanwhile
    done += static_cast<size_t>(count);
  }
  text.resize(done);
  return text;
}

absl::Status ErrnoToStatus(int error_number, std::string_view what, std::string_view path) {
  // std::system_category is thread-safe, strerror is not.
  const std::string message = absl::StrFormat("%s '%s': %s", what, path, std::system_category().message(error_number));
  switch (error_number) {
    case ENOENT:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace lathe
