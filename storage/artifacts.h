#ifndef LATHE_STORAGE_ARTIFACTS_H_
#define LATHE_STORAGE_ARTIFACTS_H_

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "common/status.h"
#include "storage/artifact_index.h"
#include "storage/artifact_store.h"

namespace lathe {

// Rows and bytes of artifacts, kept in step: a row exists only while its bytes do, also when the same digest is
// published and deleted at the same time. One object per data directory. Thread-safe; calls block on the disk.
class Artifacts {
 public:
  Artifacts(ArtifactStore& store, ArtifactIndex& index) : store_(store), index_(index) {}
  ArtifactStore& store() { return store_; }
  ArtifactIndex& index() { return index_; }

  // Ends an upload: verifies and publishes the bytes, adds the row, closes the upload. `writer` is the upload's, all
  // bytes appended; nobody uses it afterwards. Errors of ArtifactUpload::Commit (on DIGEST_MISMATCH the upload becomes
  // kFailed) and of ArtifactIndex::CommitUpload.
  absl::StatusOr<ArtifactRecord> PublishUpload(const UploadRecord& upload, ArtifactUpload& writer);

  // For an upload whose digest the store may have: adds the row without bytes being sent, if `project` itself has the
  // artifact (never because another project has: that would tell of its files). NOT_FOUND ARTIFACT_NOT_FOUND otherwise.
  absl::StatusOr<ArtifactRecord> FindForUpload(const std::string& project, const std::string& sha256);

  // Adds a file that an executor wrote. `artifact` needs no sha256, size_bytes and times.
  absl::StatusOr<ArtifactRecord> PublishFile(const std::string& path, ArtifactRecord artifact);

  // Errors of ArtifactIndex::DeleteArtifact.
  absl::Status Delete(const std::string& project, const std::string& sha256);

  // Opens an artifact of a project. NOT_FOUND ARTIFACT_NOT_FOUND also when only other projects have the digest.
  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(const std::string& project, const std::string& sha256);

  // Removes bytes without a row, which a crash between the two leaves; an upload that had just been published still has
  // its own and can be committed again. Reads one row for each digest. Returns how many.
  absl::StatusOr<int64_t> RemoveOrphans();

  // Removes rows and bytes of uploads that expired. Returns how many.
  absl::StatusOr<int> SweepUploads(int64_t now_micros);

 private:
  std::mutex& LockOf(const std::string& sha256);
  ArtifactStore& store_;
  ArtifactIndex& index_;
  std::array<std::mutex, 64> locks_;  // by digest
};

}  // namespace lathe

#endif  // LATHE_STORAGE_ARTIFACTS_H_
