#include "storage/directory_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace lathe {

absl::StatusOr<std::unique_ptr<DirectoryUpload>> DirectoryUpload::Open(
    DirectoryArtifactStore& store, const std::string& id, const ExpectedBytes& expected,
    std::shared_ptr<std::atomic<uint64_t>> committed) {
  const std::string path = store.PartPath(id);
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  // Published, but not recorded before a crash: it is whole, and protected as artifacts are.
  if (!fd.ok() && errno == EACCES) fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) {
    const absl::Status error = DiskError(errno, "cannot open", path);
    store.EndUpload(id);
    return error;
  }
  std::unique_ptr<DirectoryUpload> upload(
      new DirectoryUpload(store, id, expected, std::move(fd), std::move(committed)));
  LATHE_RETURN_IF_ERROR(upload->HashWhatIsThere(path));
  LATHE_RETURN_IF_ERROR(upload->Sync());
  return upload;
}

DirectoryUpload::~DirectoryUpload() {
  // A client that goes on later finds what got this far; if it cannot be synced, it goes on from an earlier byte.
  if (!finished_) Sync().IgnoreError();
  store_.EndUpload(id_);
}

absl::Status DirectoryUpload::HashWhatIsThere(const std::string& path) {
  constexpr size_t kBytes = size_t{1} << 20;
  std::vector<uint8_t> buffer(kBytes);
  while (true) {
    const ssize_t count = pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(received_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError(errno, "cannot read", path);
    if (count == 0) return absl::OkStatus();
    sha_.Update(absl::MakeConstSpan(buffer.data(), static_cast<size_t>(count)));
    received_ += static_cast<uint64_t>(count);
  }
}

absl::Status DirectoryUpload::Append(uint64_t offset, absl::Span<const uint8_t> bytes) {
  LATHE_RETURN_IF_ERROR(broken_);
  if (offset != received_) {
    return MakeError(absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH",
                     absl::StrFormat("upload '%s' has %d bytes, the next must start there and not at offset %d", id_,
                                     received_, offset));
  }
  if (received_ > expected_.size_bytes || bytes.size() > expected_.size_bytes - received_) {
    return MakeError(absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH",
                     absl::StrFormat("upload '%s' was created for %d bytes, but %d were sent", id_,
                                     expected_.size_bytes, received_ + bytes.size()));
  }
  sha_.Update(bytes);
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(received_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken_ = DiskError(errno, "cannot write upload", id_);
    received_ += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (received_ - committed_size() < store_.options_.sync_bytes) return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(Sync());
  return store_.CheckFreeSpace();
}

absl::Status DirectoryUpload::Sync() {
  if (fsync(fd_.get()) != 0) return broken_ = DiskError(errno, "cannot sync upload", id_);
  committed_->store(received_);
  return absl::OkStatus();
}

absl::Status DirectoryUpload::Commit(const std::function<absl::Status()>& record) {
  LATHE_RETURN_IF_ERROR(broken_);
  if (received_ != expected_.size_bytes) {
    return MakeError(absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH",
                     absl::StrFormat("upload '%s' was created for %d bytes, but %d were sent: send the rest", id_,
                                     expected_.size_bytes, received_));
  }
  finished_ = true;
  const std::string path = store_.PartPath(id_);
  if (const std::string sent = HexDigest(sha_.Finish()); sent != expected_.sha256) {
    LATHE_RETURN_IF_ERROR(RemoveFile(path));
    committed_->store(0);
    return MakeError(
        absl::StatusCode::kInvalidArgument, "DIGEST_MISMATCH",
        absl::StrFormat("upload '%s' was created for sha256 %s, but the bytes sent have %s: check the file "
                        "and create a new upload",
                        id_, expected_.sha256, sent));
  }
  if (fsync(fd_.get()) != 0) return DiskError(errno, "cannot sync upload", id_);
  LATHE_RETURN_IF_ERROR(store_.Publish(path, expected_.sha256));
  if (record) LATHE_RETURN_IF_ERROR(record());
  // Should it stay, it goes with the upload's row.
  RemoveFile(path).IgnoreError();
  return absl::OkStatus();
}

}  // namespace lathe
