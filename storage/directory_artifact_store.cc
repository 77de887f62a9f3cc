#include "storage/directory_artifact_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/digest.h"
#include "common/file.h"
#include "storage/directory_upload.h"
#include "storage/disk.h"

namespace lathe {
namespace {

constexpr unsigned kArtifactMode = 0440;
constexpr char kCopySuffix[] = ".copy";

absl::Status ArtifactMissing(const std::string& sha256) {
  return MakeError(absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND",
                   absl::StrFormat("there is no artifact '%s'", sha256));
}

class FileReader final : public ArtifactReader {
 public:
  FileReader(UniqueFd fd, uint64_t size_bytes, std::string sha256)
      : fd_(std::move(fd)), size_bytes_(size_bytes), sha256_(std::move(sha256)) {}
  uint64_t size_bytes() const override { return size_bytes_; }
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<uint8_t> buffer) const override;

 private:
  UniqueFd fd_;
  uint64_t size_bytes_;
  std::string sha256_;
};

absl::StatusOr<size_t> FileReader::ReadAt(uint64_t offset, absl::Span<uint8_t> buffer) const {
  if (offset > size_bytes_) {
    return absl::OutOfRangeError(
        absl::StrFormat("artifact '%s' has %d bytes, none at offset %d", sha256_, size_bytes_, offset));
  }
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size_bytes_ - offset));
  size_t done = 0;
  while (done < wanted) {
    const ssize_t count = pread(fd_.get(), buffer.data() + done, wanted - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError(errno, "cannot read artifact", sha256_);
    if (count == 0) {
      return MakeError(absl::StatusCode::kDataLoss, "DIGEST_MISMATCH",
                       absl::StrFormat("artifact '%s' became shorter; upload the file again", sha256_));
    }
    done += static_cast<size_t>(count);
  }
  return done;
}

double FreeFractionOf(const std::string& folder) {
  struct statvfs info {};
  // A disk that does not answer shows in the write that follows.
  if (statvfs(folder.c_str(), &info) != 0 || info.f_blocks == 0) return 1;
  return static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
}

void RemoveCopies(const std::string& folder) {
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return;
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name.ends_with(kCopySuffix)) unlink((folder + "/" + name).c_str());
  }
  closedir(dir);
}

// The error of the path that a caller gave, not of the store's disk, unless that is full.
absl::Status CallersPathError(int error_number, const std::string& path) {
  if (error_number == ENOSPC || error_number == EDQUOT) return DiskError(error_number, "cannot write", path);
  return ErrnoToStatus(error_number, "cannot link", path);
}

bool CannotLink(int error_number) { return error_number == EXDEV || error_number == EMLINK || error_number == EPERM; }

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryArtifactStore>> DirectoryArtifactStore::Open(const std::string& root,
                                                                                     DirectoryStoreOptions options) {
  for (const char* folder : {"", "/cas", "/uploads", "/quarantine"}) LATHE_RETURN_IF_ERROR(MakeFolder(root + folder));
  LATHE_RETURN_IF_ERROR(SyncPath(root));
  RemoveCopies(root + "/uploads");
  if (!options.free_fraction) options.free_fraction = [root] { return FreeFractionOf(root); };
  return std::unique_ptr<DirectoryArtifactStore>(new DirectoryArtifactStore(root, std::move(options)));
}

std::string DirectoryArtifactStore::PathOf(const std::string& sha256) const {
  return absl::StrFormat("%s/cas/%s/%s/%s", root_, sha256.substr(0, 2), sha256.substr(2, 2), sha256);
}

std::string DirectoryArtifactStore::PartPath(const std::string& upload_id) const {
  return absl::StrFormat("%s/uploads/%s.part", root_, upload_id);
}

absl::StatusOr<std::unique_ptr<ArtifactUpload>> DirectoryArtifactStore::OpenUpload(const std::string& upload_id,
                                                                                   const ExpectedBytes& expected) {
  LATHE_RETURN_IF_ERROR(CheckFreeSpace());
  // What GetUpload shows while the bytes are hashed again.
  auto committed = std::make_shared<std::atomic<uint64_t>>(UploadedBytes(upload_id));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!active_.emplace(upload_id, committed).second) {
      return MakeError(absl::StatusCode::kAborted, "UPLOAD_BUSY",
                       absl::StrFormat("upload '%s' is being written by another call", upload_id));
    }
  }
  auto upload = DirectoryUpload::Open(*this, upload_id, expected, std::move(committed));
  LATHE_RETURN_IF_ERROR(upload.status());
  return *std::move(upload);
}

void DirectoryArtifactStore::EndUpload(const std::string& upload_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  active_.erase(upload_id);
}

uint64_t DirectoryArtifactStore::UploadedBytes(const std::string& upload_id) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = active_.find(upload_id); found != active_.end()) return found->second->load();
  }
  struct stat info {};
  return stat(PartPath(upload_id).c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

absl::Status DirectoryArtifactStore::AbortUpload(const std::string& upload_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (active_.count(upload_id) != 0) {
    return MakeError(absl::StatusCode::kAborted, "UPLOAD_BUSY",
                     absl::StrFormat("upload '%s' is being written to", upload_id));
  }
  return RemoveFile(PartPath(upload_id));
}

absl::Status DirectoryArtifactStore::Publish(const std::string& path, const std::string& sha256) {
  const std::string place = PathOf(sha256);
  const std::string inner = place.substr(0, place.rfind('/'));
  const std::string outer = inner.substr(0, inner.rfind('/'));
  LATHE_RETURN_IF_ERROR(MakeFolder(outer));
  LATHE_RETURN_IF_ERROR(MakeFolder(inner));
  if (chmod(path.c_str(), kArtifactMode) != 0) return DiskError(errno, "cannot protect", path);
  if (link(path.c_str(), place.c_str()) != 0) {
    if (errno != EEXIST) return DiskError(errno, "cannot publish", place);
    // Bytes that are there already are taken only if they are sound; otherwise these replace them.
    if (!EnsureVerified(sha256).ok() && link(path.c_str(), place.c_str()) != 0 && errno != EEXIST) {
      return DiskError(errno, "cannot publish", place);
    }
  }
  for (const std::string& folder : {inner, outer, root_ + "/cas"}) LATHE_RETURN_IF_ERROR(SyncPath(folder));
  const std::lock_guard<std::mutex> lock(mutex_);
  verified_.insert(sha256);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> DirectoryArtifactStore::PutFile(const std::string& path, const std::string& sha256) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return ErrnoToStatus(errno, "cannot stat", path);
  // An executor made the file: a link of its could name any file of ours.
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrFormat("'%s' is not a regular file", path));
  const std::string link_path = absl::StrFormat("%s/uploads/%d%s", root_, counter_.fetch_add(1), kCopySuffix);
  if (link(path.c_str(), link_path.c_str()) != 0) {
    if (!CannotLink(errno)) return CallersPathError(errno, path);
    LATHE_RETURN_IF_ERROR(CopyFile(path, link_path, kArtifactMode));
  }
  absl::Status status = SyncPath(link_path);
  if (status.ok()) status = Publish(link_path, sha256);
  const absl::Status removed = RemoveFile(link_path);
  LATHE_RETURN_IF_ERROR(status);
  LATHE_RETURN_IF_ERROR(removed);
  return static_cast<uint64_t>(info.st_size);
}

absl::Status DirectoryArtifactStore::EnsureVerified(const std::string& sha256) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (verified_.count(sha256) != 0) return absl::OkStatus();
  }
  const std::string path = PathOf(sha256);
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return ArtifactMissing(sha256);
  const absl::StatusOr<Digest> digest = Sha256File(path);
  if (absl::IsNotFound(digest.status())) return ArtifactMissing(sha256);
  if (!digest.ok()) {
    return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE", std::string(digest.status().message()));
  }
  if (HexDigest(*digest) != sha256) return Quarantine(sha256, HexDigest(*digest));
  const std::lock_guard<std::mutex> lock(mutex_);
  verified_.insert(sha256);
  return absl::OkStatus();
}

absl::Status DirectoryArtifactStore::Quarantine(const std::string& sha256, const std::string& found) {
  const std::string place = absl::StrFormat("%s/quarantine/%s.%d", root_, sha256, counter_.fetch_add(1));
  if (rename(PathOf(sha256).c_str(), place.c_str()) != 0 && errno != ENOENT) {
    return DiskError(errno, "cannot move to quarantine", PathOf(sha256));
  }
  return MakeError(
      absl::StatusCode::kDataLoss, "DIGEST_MISMATCH",
      absl::StrFormat("artifact '%s' is damaged: its bytes have sha256 %s; they were moved to '%s', upload "
                      "the file again",
                      sha256, found, place));
}

absl::StatusOr<std::unique_ptr<ArtifactReader>> DirectoryArtifactStore::Open(const std::string& sha256) {
  LATHE_RETURN_IF_ERROR(EnsureVerified(sha256));
  const std::string path = PathOf(sha256);
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return errno == ENOENT ? ArtifactMissing(sha256) : DiskError(errno, "cannot open", path);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return DiskError(errno, "cannot stat", path);
  return std::make_unique<FileReader>(std::move(fd), static_cast<uint64_t>(info.st_size), sha256);
}

absl::Status DirectoryArtifactStore::LinkTo(const std::string& sha256, const std::string& path) {
  LATHE_RETURN_IF_ERROR(EnsureVerified(sha256));
  if (link(PathOf(sha256).c_str(), path.c_str()) == 0) return absl::OkStatus();
  if (CannotLink(errno)) return CopyFile(PathOf(sha256), path, kArtifactMode);
  const int error_number = errno;
  LATHE_RETURN_IF_ERROR(Stat(sha256).status());
  return CallersPathError(error_number, path);
}

absl::StatusOr<uint64_t> DirectoryArtifactStore::Stat(const std::string& sha256) {
  struct stat info {};
  const std::string path = PathOf(sha256);
  if (stat(path.c_str(), &info) == 0) return static_cast<uint64_t>(info.st_size);
  return errno == ENOENT ? ArtifactMissing(sha256) : DiskError(errno, "cannot stat", path);
}

absl::Status DirectoryArtifactStore::Delete(const std::string& sha256) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    verified_.erase(sha256);
  }
  return RemoveFile(PathOf(sha256));
}

absl::StatusOr<std::vector<std::string>> DirectoryArtifactStore::Digests() {
  std::vector<std::string> digests;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entries(root_ + "/cas", error);
  while (!error && entries != std::filesystem::recursive_directory_iterator()) {
    const std::string name = entries->path().filename().string();
    if (IsHexDigest(name)) digests.push_back(name);
    entries.increment(error);
  }
  if (error) return DiskError(error.value(), "cannot list", root_ + "/cas");
  return digests;
}

absl::Status DirectoryArtifactStore::CheckFreeSpace() {
  const double free = options_.free_fraction();
  if (free >= options_.free_fraction_min) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "DISK_LOW",
                   absl::StrFormat("%.1f %% of the disk of '%s' is free, uploads need %.1f %%: delete artifacts or add "
                                   "space",
                                   free * 100, root_, options_.free_fraction_min * 100));
}

}  // namespace lathe
