#ifndef LATHE_STORAGE_DIRECTORY_UPLOAD_H_
#define LATHE_STORAGE_DIRECTORY_UPLOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/digest.h"
#include "storage/artifact_store.h"
#include "storage/directory_artifact_store.h"
#include "storage/disk.h"

namespace lathe {

// The open writer of uploads/ID.part. The digest runs along with the bytes, so that Commit reads nothing again.
class DirectoryUpload final : public ArtifactUpload {
 public:
  // Opens or makes the part file and hashes what it holds. The upload is listed as open in the store; the object, or a
  // failure here, ends that. `committed` is what UploadedBytes tells meanwhile.
  static absl::StatusOr<std::unique_ptr<DirectoryUpload>> Open(DirectoryArtifactStore& store, const std::string& id,
                                                               const ExpectedBytes& expected,
                                                               std::shared_ptr<std::atomic<uint64_t>> committed);
  ~DirectoryUpload() override;
  uint64_t committed_size() const override { return committed_->load(); }
  uint64_t received_size() const override { return received_; }
  absl::Status Append(uint64_t offset, absl::Span<const uint8_t> bytes) override;
  absl::Status Sync() override;
  using ArtifactUpload::Commit;
  absl::Status Commit(const std::function<absl::Status()>& record) override;

 private:
  DirectoryUpload(DirectoryArtifactStore& store, std::string id, ExpectedBytes expected, UniqueFd fd,
                  std::shared_ptr<std::atomic<uint64_t>> committed)
      : store_(store),
        id_(std::move(id)),
        expected_(std::move(expected)),
        fd_(std::move(fd)),
        committed_(std::move(committed)) {}
  absl::Status HashWhatIsThere(const std::string& path);

  DirectoryArtifactStore& store_;
  const std::string id_;
  const ExpectedBytes expected_;
  UniqueFd fd_;
  Sha256 sha_;
  uint64_t received_ = 0;
  std::shared_ptr<std::atomic<uint64_t>> committed_;
  absl::Status broken_;  // the first failed write: the file may hold bytes that are not in sha_
  bool finished_ = false;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_DIRECTORY_UPLOAD_H_
