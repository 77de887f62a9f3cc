#ifndef LATHE_STORAGE_DIRECTORY_ARTIFACT_STORE_H_
#define LATHE_STORAGE_DIRECTORY_ARTIFACT_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/status.h"
#include "storage/artifact_store.h"

namespace lathe {

struct DirectoryStoreOptions {
  double free_fraction_min = 0.05;
  std::function<double()> free_fraction = {};  // unset: asks the file system of the folder
  uint64_t sync_bytes = uint64_t{8} << 20;     // uploads are synced each time they grew by this
};

// ArtifactStore in a folder that one process uses:
//   cas/ab/cd/SHA256 (mode 0440)    uploads/ID.part    quarantine/SHA256.N
class DirectoryArtifactStore final : public ArtifactStore {
 public:
  // Makes the folders, and removes copies that a crash left half-written. Errors as in ErrnoToStatus.
  static absl::StatusOr<std::unique_ptr<DirectoryArtifactStore>> Open(const std::string& root,
                                                                      DirectoryStoreOptions options);

  absl::StatusOr<std::unique_ptr<ArtifactUpload>> OpenUpload(const std::string& upload_id,
                                                             const ExpectedBytes& expected) override;
  uint64_t UploadedBytes(const std::string& upload_id) override;
  absl::Status AbortUpload(const std::string& upload_id) override;
  absl::StatusOr<uint64_t> PutFile(const std::string& path, const std::string& sha256) override;
  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(const std::string& sha256) override;
  absl::Status LinkTo(const std::string& sha256, const std::string& path) override;
  absl::StatusOr<uint64_t> Stat(const std::string& sha256) override;
  absl::Status Delete(const std::string& sha256) override;
  absl::StatusOr<std::vector<std::string>> Digests() override;
  absl::Status CheckFreeSpace() override;

 private:
  friend class DirectoryUpload;
  DirectoryArtifactStore(std::string root, DirectoryStoreOptions options)
      : root_(std::move(root)), options_(std::move(options)) {}

  std::string PathOf(const std::string& sha256) const;
  std::string PartPath(const std::string& upload_id) const;
  // Gives a synced file its place in cas/ as one more hard link; durable on return. OK if the digest is there and
  // sound.
  absl::Status Publish(const std::string& path, const std::string& sha256);
  // Hashes the bytes unless this process did before.
  absl::Status EnsureVerified(const std::string& sha256);
  absl::Status Quarantine(const std::string& sha256, const std::string& found);
  void EndUpload(const std::string& upload_id);

  const std::string root_;
  const DirectoryStoreOptions options_;
  std::atomic<uint64_t> counter_{0};  // makes names of temporary and quarantined files unique
  std::mutex mutex_;
  std::unordered_set<std::string> verified_;
  std::map<std::string, std::shared_ptr<std::atomic<uint64_t>>> active_;  // committed bytes of open uploads
};

}  // namespace lathe

#endif  // LATHE_STORAGE_DIRECTORY_ARTIFACT_STORE_H_
