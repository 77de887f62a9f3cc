#include "storage/artifacts.h"

#include <functional>
#include <utility>

#include "common/digest.h"

namespace lathe {

std::mutex& Artifacts::LockOf(const std::string& sha256) {
  return locks_[std::hash<std::string>()(sha256) % locks_.size()];
}

absl::StatusOr<ArtifactRecord> Artifacts::PublishUpload(const UploadRecord& upload, ArtifactUpload& writer) {
  const std::lock_guard<std::mutex> lock(LockOf(upload.sha256));
  ArtifactRecord artifact;
  artifact.project = upload.project;
  artifact.sha256 = upload.sha256;
  artifact.size_bytes = upload.size_bytes;
  artifact.kind = upload.kind;
  artifact.media_type = upload.media_type;
  artifact.labels = upload.labels;
  const absl::Status committed = writer.Commit([&]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(artifact, index_.CommitUpload(upload.project, upload.id, artifact));
    return absl::OkStatus();
  });
  if (committed.ok()) return artifact;
  if (ReasonOf(committed) == "DIGEST_MISMATCH") {
    // The client gets the digest's error; if the row cannot be written either, the upload expires later.
    index_.SetUploadState(upload.project, upload.id, UploadState::kFailed).IgnoreError();
  }
  return committed;
}

absl::StatusOr<ArtifactRecord> Artifacts::FindForUpload(const std::string& project, const std::string& sha256) {
  const std::lock_guard<std::mutex> lock(LockOf(sha256));
  LATHE_ASSIGN_OR_RETURN(ArtifactRecord artifact, index_.GetArtifact(project, sha256));
  // Quarantined bytes can be uploaded again: the row alone is not enough.
  LATHE_RETURN_IF_ERROR(store_.Stat(sha256).status());
  return artifact;
}

absl::StatusOr<ArtifactRecord> Artifacts::PublishFile(const std::string& path, ArtifactRecord artifact) {
  LATHE_ASSIGN_OR_RETURN(const Digest digest, Sha256File(path));
  artifact.sha256 = HexDigest(digest);
  const std::lock_guard<std::mutex> lock(LockOf(artifact.sha256));
  LATHE_ASSIGN_OR_RETURN(artifact.size_bytes, store_.PutFile(path, artifact.sha256));
  return index_.PutArtifact(artifact);
}

absl::Status Artifacts::Delete(const std::string& project, const std::string& sha256) {
  const std::lock_guard<std::mutex> lock(LockOf(sha256));
  LATHE_ASSIGN_OR_RETURN(const bool unreferenced, index_.DeleteArtifact(project, sha256));
  return unreferenced ? store_.Delete(sha256) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ArtifactReader>> Artifacts::Open(const std::string& project, const std::string& sha256) {
  LATHE_RETURN_IF_ERROR(index_.GetArtifact(project, sha256).status());
  return store_.Open(sha256);
}

absl::StatusOr<int64_t> Artifacts::RemoveOrphans() {
  LATHE_ASSIGN_OR_RETURN(const std::vector<std::string> digests, store_.Digests());
  int64_t removed = 0;
  for (const std::string& sha256 : digests) {
    const std::lock_guard<std::mutex> lock(LockOf(sha256));
    LATHE_ASSIGN_OR_RETURN(const bool has_row, index_.HasDigest(sha256));
    if (has_row) continue;
    LATHE_RETURN_IF_ERROR(store_.Delete(sha256));
    ++removed;
  }
  return removed;
}

absl::StatusOr<int> Artifacts::SweepUploads(int64_t now_micros) {
  constexpr int kBatch = 1000;
  LATHE_ASSIGN_OR_RETURN(const std::vector<UploadRecord> expired, index_.ExpiredUploads(now_micros, kBatch));
  int removed = 0;
  for (const UploadRecord& upload : expired) {
    // One that is being written to is left for the next sweep.
    if (!store_.AbortUpload(upload.id).ok()) continue;
    LATHE_RETURN_IF_ERROR(index_.DeleteUpload(upload.project, upload.id));
    ++removed;
  }
  return removed;
}

}  // namespace lathe
