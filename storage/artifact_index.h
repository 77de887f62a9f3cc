#ifndef LATHE_STORAGE_ARTIFACT_INDEX_H_
#define LATHE_STORAGE_ARTIFACT_INDEX_H_

// Which artifacts and uploads a project has. The bytes are in an ArtifactStore; Artifacts (artifacts.h) keeps both in
// step and is what most callers want.

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "storage/job_store.h"

namespace lathe {

struct ArtifactRecord {
  std::string project;
  std::string sha256;  // 64 lower-case hex digits
  uint64_t size_bytes = 0;
  int kind = 0;  // lathe.v1.ArtifactKind; a number to the store
  std::string media_type;
  Labels labels;
  int64_t create_time_micros = 0;
  std::string producer_job;  // id of the job that made it, or ""
  int64_t order = 0;         // creation order; the cursor of ListArtifacts
};

struct ArtifactPage {
  std::vector<ArtifactRecord> artifacts;  // newest first
  int64_t next_cursor = 0;                // 0: no more
};

enum class UploadState { kOpen = 1, kCommitted = 2, kFailed = 3 };

struct UploadRecord {
  std::string project, id;  // id "": the index makes one ("u-" and a time-ordered id)
  std::string sha256;       // expected
  uint64_t size_bytes = 0;  // expected
  int kind = 0;
  std::string media_type;
  Labels labels;
  UploadState state = UploadState::kOpen;
  int64_t create_time_micros = 0;
  int64_t expire_time_micros = 0;  // the index keeps it, the sweep acts on it
};

// Thread-safe. Storage errors as for JobStore. Not found: NOT_FOUND ARTIFACT_NOT_FOUND or UPLOAD_NOT_FOUND.
class ArtifactIndex {
 public:
  virtual ~ArtifactIndex() = default;

  // Adds the row; when the project has the digest already, the row that is there stays and is returned.
  virtual absl::StatusOr<ArtifactRecord> PutArtifact(const ArtifactRecord& artifact) = 0;
  virtual absl::StatusOr<ArtifactRecord> GetArtifact(const std::string& project, const std::string& sha256) = 0;
  // Artifacts created before `cursor` (0: from the newest). `kind` 0: all. REQUIRES: 0 < page_size.
  virtual absl::StatusOr<ArtifactPage> ListArtifacts(const std::string& project, int kind, int page_size,
                                                     int64_t cursor) = 0;
  // Whether any project has the digest.
  virtual absl::StatusOr<bool> HasDigest(const std::string& sha256) = 0;
  // Returns true when no project has the digest any more: the bytes can go.
  // FAILED_PRECONDITION ARTIFACT_IN_USE: an unfinished job of the project, named in the message, needs it.
  virtual absl::StatusOr<bool> DeleteArtifact(const std::string& project, const std::string& sha256) = 0;

  struct CreatedUpload {
    UploadRecord upload;
    bool existing = false;
  };
  // ALREADY_EXISTS REQUEST_ID_REUSED: the request_id came before with another hash. "" turns deduplication off.
  virtual absl::StatusOr<CreatedUpload> CreateUpload(const UploadRecord& upload, const std::string& request_id,
                                                     const std::string& request_hash) = 0;
  virtual absl::StatusOr<UploadRecord> GetUpload(const std::string& project, const std::string& id) = 0;
  virtual absl::Status SetUploadState(const std::string& project, const std::string& id, UploadState state) = 0;
  virtual absl::Status DeleteUpload(const std::string& project, const std::string& id) = 0;
  // Uploads of any project whose expire_time has passed, oldest first, at most `limit`.
  virtual absl::StatusOr<std::vector<UploadRecord>> ExpiredUploads(int64_t now_micros, int limit) = 0;
  // Adds the artifact and makes the upload kCommitted, in one transaction.
  virtual absl::StatusOr<ArtifactRecord> CommitUpload(const std::string& project, const std::string& upload_id,
                                                      const ArtifactRecord& artifact) = 0;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_ARTIFACT_INDEX_H_
