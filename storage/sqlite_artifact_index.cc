#include "storage/sqlite_artifact_index.h"

#include <optional>
#include <utility>

#include "common/random_id.h"
#include "storage/labels.h"

namespace lathe {
namespace {

#define LATHE_ARTIFACT_COLUMNS "project, sha256, size, kind, media_type, labels, create_time, producer_job, ord"
#define LATHE_UPLOAD_COLUMNS "project, id, sha256, size, kind, media_type, labels, state, create_time, expire_time"

absl::Status ArtifactNotFound(const std::string& project, const std::string& sha256) {
  return MakeError(absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND",
                   absl::StrFormat("project '%s' has no artifact '%s'", project, sha256));
}

absl::Status UploadNotFound(const std::string& project, const std::string& id) {
  return MakeError(absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND",
                   absl::StrFormat("project '%s' has no upload '%s': it expired or was never created", project, id));
}

ArtifactRecord ReadArtifact(const SqliteQuery& row) {
  return {.project = row.GetText(0),
          .sha256 = row.GetText(1),
          .size_bytes = static_cast<uint64_t>(row.GetInt(2)),
          .kind = static_cast<int>(row.GetInt(3)),
          .media_type = row.GetText(4),
          .labels = DecodeLabels(row.GetText(5)),
          .create_time_micros = row.GetInt(6),
          .producer_job = row.GetText(7),
          .order = row.GetInt(8)};
}

UploadRecord ReadUpload(const SqliteQuery& row) {
  return {.project = row.GetText(0),
          .id = row.GetText(1),
          .sha256 = row.GetText(2),
          .size_bytes = static_cast<uint64_t>(row.GetInt(3)),
          .kind = static_cast<int>(row.GetInt(4)),
          .media_type = row.GetText(5),
          .labels = DecodeLabels(row.GetText(6)),
          .state = static_cast<UploadState>(row.GetInt(7)),
          .create_time_micros = row.GetInt(8),
          .expire_time_micros = row.GetInt(9)};
}

absl::StatusOr<std::optional<ArtifactRecord>> FindArtifact(SqliteConnection& connection, const std::string& project,
                                                           const std::string& sha256) {
  SqliteQuery query(connection, "SELECT " LATHE_ARTIFACT_COLUMNS " FROM artifact WHERE project = ? AND sha256 = ?");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(project).Text(sha256).Step());
  if (!row) return std::nullopt;
  return ReadArtifact(query);
}

absl::StatusOr<std::optional<UploadRecord>> FindUpload(SqliteConnection& connection, const std::string& project,
                                                       const std::string& id) {
  SqliteQuery query(connection, "SELECT " LATHE_UPLOAD_COLUMNS " FROM upload WHERE project = ? AND id = ?");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(project).Text(id).Step());
  if (!row) return std::nullopt;
  return ReadUpload(query);
}

absl::StatusOr<ArtifactRecord> InsertOrFind(SqliteConnection& connection, const ArtifactRecord& artifact,
                                            int64_t now_micros) {
  LATHE_RETURN_IF_ERROR(
      SqliteQuery(connection,
                  "INSERT INTO artifact (project, sha256, size, kind, media_type, labels, create_time, producer_job) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, sha256) DO NOTHING")
          .Text(artifact.project)
          .Text(artifact.sha256)
          .Int(static_cast<int64_t>(artifact.size_bytes))
          .Int(artifact.kind)
          .Text(artifact.media_type)
          .Blob(EncodeLabels(artifact.labels))
          .Int(now_micros)
          .Text(artifact.producer_job)
          .Run());
  LATHE_ASSIGN_OR_RETURN(std::optional<ArtifactRecord> found,
                         FindArtifact(connection, artifact.project, artifact.sha256));
  if (!found) return absl::InternalError(absl::StrFormat("artifact '%s' vanished in a transaction", artifact.sha256));
  return *std::move(found);
}

// An unfinished job of the project that needs the artifact.
absl::StatusOr<std::optional<std::string>> FindUser(SqliteConnection& connection, const std::string& project,
                                                    const std::string& sha256) {
  SqliteQuery query(connection,
                    "SELECT job.id FROM job_input JOIN job ON job.ord = job_input.job "
                    "WHERE job_input.project = ? AND job_input.sha256 = ? AND job.state <= 3 LIMIT 1");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(project).Text(sha256).Step());
  if (!row) return std::nullopt;
  return query.GetText(0);
}

absl::StatusOr<bool> IsUnreferenced(SqliteConnection& connection, const std::string& sha256) {
  SqliteQuery query(connection, "SELECT 1 FROM artifact WHERE sha256 = ? LIMIT 1");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(sha256).Step());
  return !row;
}

absl::StatusOr<std::optional<UploadRecord>> FindRepeated(SqliteConnection& connection, const std::string& project,
                                                         const std::string& request_id,
                                                         const std::string& request_hash) {
  if (request_id.empty()) return std::nullopt;
  SqliteQuery query(connection, "SELECT id, request_hash FROM upload WHERE project = ? AND request_id = ?");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(project).Text(request_id).Step());
  if (!row) return std::nullopt;
  if (query.GetText(1) != request_hash) {
    return MakeError(
        absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
        absl::StrFormat("request_id '%s' came before with another request: use a new one for a new request",
                        request_id));
  }
  return FindUpload(connection, project, query.GetText(0));
}

absl::Status InsertUpload(SqliteConnection& connection, const UploadRecord& upload, const std::string& request_id,
                          const std::string& request_hash) {
  return SqliteQuery(connection, "INSERT INTO upload (" LATHE_UPLOAD_COLUMNS
                                 ", request_id, request_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Text(upload.project)
      .Text(upload.id)
      .Text(upload.sha256)
      .Int(static_cast<int64_t>(upload.size_bytes))
      .Int(upload.kind)
      .Text(upload.media_type)
      .Blob(EncodeLabels(upload.labels))
      .Int(static_cast<int64_t>(upload.state))
      .Int(upload.create_time_micros)
      .Int(upload.expire_time_micros)
      .TextOrNull(request_id)
      .Text(request_hash)
      .Run();
}

absl::Status UpdateUploadState(SqliteConnection& connection, const std::string& project, const std::string& id,
                               UploadState state) {
  SqliteQuery query(connection, "UPDATE upload SET state = ? WHERE project = ? AND id = ? RETURNING 1");
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Int(static_cast<int64_t>(state)).Text(project).Text(id).Step());
  if (!row) return UploadNotFound(project, id);
  return query.Run();
}

}  // namespace

absl::StatusOr<ArtifactRecord> SqliteArtifactIndex::PutArtifact(const ArtifactRecord& artifact) {
  ArtifactRecord stored;
  LATHE_RETURN_IF_ERROR(database_.Write([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(stored, InsertOrFind(connection, artifact, clock_.NowMicros()));
    return absl::OkStatus();
  }));
  return stored;
}

absl::StatusOr<ArtifactRecord> SqliteArtifactIndex::GetArtifact(const std::string& project, const std::string& sha256) {
  std::optional<ArtifactRecord> found;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(found, FindArtifact(connection, project, sha256));
    return absl::OkStatus();
  }));
  if (!found) return ArtifactNotFound(project, sha256);
  return *std::move(found);
}

absl::StatusOr<ArtifactPage> SqliteArtifactIndex::ListArtifacts(const std::string& project, int kind, int page_size,
                                                                int64_t cursor) {
  ArtifactPage page;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    SqliteQuery query(connection, "SELECT " LATHE_ARTIFACT_COLUMNS
                                  " FROM artifact WHERE project = ? AND ord < ? AND (? = 0 OR kind = ?)"
                                  " ORDER BY ord DESC LIMIT ?");
    query.Text(project).Int(cursor == 0 ? INT64_MAX : cursor).Int(kind).Int(kind).Int(int64_t{page_size} + 1);
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return absl::OkStatus();
      page.artifacts.push_back(ReadArtifact(query));
    }
  }));
  if (page.artifacts.size() > static_cast<size_t>(page_size)) {
    page.artifacts.pop_back();
    page.next_cursor = page.artifacts.back().order;
  }
  return page;
}

absl::StatusOr<bool> SqliteArtifactIndex::HasDigest(const std::string& sha256) {
  bool unreferenced = true;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(unreferenced, IsUnreferenced(connection, sha256));
    return absl::OkStatus();
  }));
  return !unreferenced;
}

absl::StatusOr<bool> SqliteArtifactIndex::DeleteArtifact(const std::string& project, const std::string& sha256) {
  bool unreferenced = false;
  LATHE_RETURN_IF_ERROR(database_.Write([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const std::optional<ArtifactRecord> artifact, FindArtifact(connection, project, sha256));
    if (!artifact) return ArtifactNotFound(project, sha256);
    LATHE_ASSIGN_OR_RETURN(const std::optional<std::string> user, FindUser(connection, project, sha256));
    if (user) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "ARTIFACT_IN_USE",
                       absl::StrFormat("artifact '%s' is an input of job '%s', which is not finished", sha256, *user));
    }
    LATHE_RETURN_IF_ERROR(SqliteQuery(connection, "DELETE FROM artifact WHERE ord = ?").Int(artifact->order).Run());
    LATHE_ASSIGN_OR_RETURN(unreferenced, IsUnreferenced(connection, sha256));
    return absl::OkStatus();
  }));
  return unreferenced;
}

absl::StatusOr<ArtifactIndex::CreatedUpload> SqliteArtifactIndex::CreateUpload(const UploadRecord& upload,
                                                                               const std::string& request_id,
                                                                               const std::string& request_hash) {
  CreatedUpload created;
  LATHE_RETURN_IF_ERROR(database_.Write([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(std::optional<UploadRecord> repeated,
                           FindRepeated(connection, upload.project, request_id, request_hash));
    created.existing = repeated.has_value();
    if (repeated) {
      created.upload = *std::move(repeated);
      return absl::OkStatus();
    }
    created.upload = upload;
    created.upload.create_time_micros = clock_.NowMicros();
    if (upload.id.empty()) created.upload.id = "u-" + TimeOrderedId(created.upload.create_time_micros);
    return InsertUpload(connection, created.upload, request_id, request_hash);
  }));
  return created;
}

absl::StatusOr<UploadRecord> SqliteArtifactIndex::GetUpload(const std::string& project, const std::string& id) {
  std::optional<UploadRecord> found;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(found, FindUpload(connection, project, id));
    return absl::OkStatus();
  }));
  if (!found) return UploadNotFound(project, id);
  return *std::move(found);
}

absl::Status SqliteArtifactIndex::SetUploadState(const std::string& project, const std::string& id, UploadState state) {
  return database_.Write(
      [&](SqliteConnection& connection) { return UpdateUploadState(connection, project, id, state); });
}

absl::Status SqliteArtifactIndex::DeleteUpload(const std::string& project, const std::string& id) {
  return database_.Write([&](SqliteConnection& connection) -> absl::Status {
    SqliteQuery query(connection, "DELETE FROM upload WHERE project = ? AND id = ? RETURNING 1");
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(project).Text(id).Step());
    if (!row) return UploadNotFound(project, id);
    return query.Run();
  });
}

absl::StatusOr<std::vector<UploadRecord>> SqliteArtifactIndex::ExpiredUploads(int64_t now_micros, int limit) {
  std::vector<UploadRecord> uploads;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    SqliteQuery query(
        connection, "SELECT " LATHE_UPLOAD_COLUMNS " FROM upload WHERE expire_time <= ? ORDER BY expire_time LIMIT ?");
    query.Int(now_micros).Int(limit);
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return absl::OkStatus();
      uploads.push_back(ReadUpload(query));
    }
  }));
  return uploads;
}

absl::StatusOr<ArtifactRecord> SqliteArtifactIndex::CommitUpload(const std::string& project,
                                                                 const std::string& upload_id,
                                                                 const ArtifactRecord& artifact) {
  ArtifactRecord stored;
  LATHE_RETURN_IF_ERROR(database_.Write([&](SqliteConnection& connection) -> absl::Status {
    LATHE_RETURN_IF_ERROR(UpdateUploadState(connection, project, upload_id, UploadState::kCommitted));
    LATHE_ASSIGN_OR_RETURN(stored, InsertOrFind(connection, artifact, clock_.NowMicros()));
    return absl::OkStatus();
  }));
  return stored;
}

}  // namespace lathe
