#ifndef LATHE_STORAGE_SQLITE_ARTIFACT_INDEX_H_
#define LATHE_STORAGE_SQLITE_ARTIFACT_INDEX_H_

#include <string>
#include <vector>

#include "common/clock.h"
#include "storage/artifact_index.h"
#include "storage/sqlite_database.h"

namespace lathe {

// ArtifactIndex in the database of SqliteJobStore. Both references must outlive the object.
class SqliteArtifactIndex final : public ArtifactIndex {
 public:
  SqliteArtifactIndex(SqliteDatabase& database, const Clock& clock) : database_(database), clock_(clock) {}

  absl::StatusOr<ArtifactRecord> PutArtifact(const ArtifactRecord& artifact) override;
  absl::StatusOr<ArtifactRecord> GetArtifact(const std::string& project, const std::string& sha256) override;
  absl::StatusOr<ArtifactPage> ListArtifacts(const std::string& project, int kind, int page_size,
                                             int64_t cursor) override;
  absl::StatusOr<bool> HasDigest(const std::string& sha256) override;
  absl::StatusOr<bool> DeleteArtifact(const std::string& project, const std::string& sha256) override;
  absl::StatusOr<CreatedUpload> CreateUpload(const UploadRecord& upload, const std::string& request_id,
                                             const std::string& request_hash) override;
  absl::StatusOr<UploadRecord> GetUpload(const std::string& project, const std::string& id) override;
  absl::Status SetUploadState(const std::string& project, const std::string& id, UploadState state) override;
  absl::Status DeleteUpload(const std::string& project, const std::string& id) override;
  absl::StatusOr<std::vector<UploadRecord>> ExpiredUploads(int64_t now_micros, int limit) override;
  absl::StatusOr<ArtifactRecord> CommitUpload(const std::string& project, const std::string& upload_id,
                                              const ArtifactRecord& artifact) override;

 private:
  SqliteDatabase& database_;
  const Clock& clock_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_SQLITE_ARTIFACT_INDEX_H_
