#include "storage/sqlite_schema.h"

#include <iterator>
#include <string>

namespace lathe {
namespace {

// States are those of JobState. `ord` is the creation order. Times are microseconds since 1970.
constexpr char kVersion1[] = R"sql(
CREATE TABLE job (
  ord INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  uid TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  preset TEXT NOT NULL,
  spec BLOB NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
  result BLOB NOT NULL DEFAULT x'',
  error_code INTEGER NOT NULL DEFAULT 0,
  error_reason TEXT NOT NULL DEFAULT '',
  error_message TEXT NOT NULL DEFAULT '',
  error_details BLOB NOT NULL DEFAULT x'',
  progress BLOB NOT NULL DEFAULT x'',
  labels BLOB NOT NULL,
  priority INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  max_attempts INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  token INTEGER NOT NULL DEFAULT 0,
  create_time INTEGER NOT NULL,
  start_time INTEGER NOT NULL DEFAULT 0,
  finish_time INTEGER,
  deadline INTEGER,
  retry_of TEXT NOT NULL,
  request_id TEXT,
  request_hash TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  last_sequence INTEGER NOT NULL DEFAULT 0,
  UNIQUE (project, id),
  CHECK ((finish_time IS NULL) = (state <= 3)));
CREATE UNIQUE INDEX job_request ON job (project, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX job_queue ON job (priority DESC, ord) WHERE state = 1;
CREATE INDEX job_running ON job (state) WHERE state IN (2, 3);
CREATE INDEX job_list ON job (project, ord);
CREATE INDEX job_deadline ON job (deadline) WHERE state = 1 AND deadline IS NOT NULL;

CREATE TABLE job_event (
  job INTEGER NOT NULL REFERENCES job (ord) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  progress BLOB NOT NULL,
  PRIMARY KEY (job, sequence)) WITHOUT ROWID;

CREATE TABLE job_input (
  job INTEGER NOT NULL REFERENCES job (ord) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  project TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (job, position)) WITHOUT ROWID;
CREATE INDEX job_input_artifact ON job_input (project, sha256);

CREATE TABLE fencing (one INTEGER PRIMARY KEY CHECK (one = 1), token INTEGER NOT NULL);
INSERT INTO fencing VALUES (1, 0);

CREATE TABLE artifact (
  ord INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  size INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  labels BLOB NOT NULL,
  create_time INTEGER NOT NULL,
  producer_job TEXT NOT NULL,
  UNIQUE (project, sha256));
CREATE INDEX artifact_digest ON artifact (sha256);
CREATE INDEX artifact_list ON artifact (project, ord);

CREATE TABLE upload (
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  size INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  labels BLOB NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
  create_time INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  request_id TEXT,
  request_hash TEXT NOT NULL,
  PRIMARY KEY (project, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX upload_request ON upload (project, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX upload_expire ON upload (expire_time);
)sql";

// Jobs that were released with a delay are not claimed before it is over.
constexpr char kVersion2[] = "ALTER TABLE job ADD COLUMN run_after INTEGER NOT NULL DEFAULT 0";

// Step i brings version i to i + 1. Steps are never changed once released, only added.
constexpr const char* kSteps[] = {kVersion1, kVersion2};

absl::StatusOr<int64_t> ReadVersion(SqliteConnection& connection) {
  SqliteQuery query(connection, "PRAGMA user_version");
  LATHE_RETURN_IF_ERROR(query.Step().status());
  return query.GetInt(0);
}

absl::Status RunSteps(SqliteConnection& connection, int64_t version) {
  for (; version < std::ssize(kSteps); ++version) LATHE_RETURN_IF_ERROR(connection.Execute(kSteps[version]));
  return connection.Execute(absl::StrFormat("PRAGMA user_version = %d", version).c_str());
}

}  // namespace

absl::Status MigrateSqliteSchema(SqliteConnection& connection) {
  LATHE_ASSIGN_OR_RETURN(const int64_t version, ReadVersion(connection));
  if (version > std::ssize(kSteps)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "SCHEMA_TOO_NEW",
                     absl::StrFormat("the database has schema version %d, this program knows up to %d: run the newer "
                                     "program that wrote it",
                                     version, std::ssize(kSteps)));
  }
  if (version == std::ssize(kSteps)) return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  absl::Status status = RunSteps(connection, version);
  if (status.ok()) status = connection.Execute("COMMIT");
  if (!status.ok()) connection.Execute("ROLLBACK").IgnoreError();  // the first error tells more
  return status;
}

}  // namespace lathe
