#include "storage/sqlite_connection.h"

#include <sqlite3.h>

namespace lathe {
namespace {

constexpr int kBusyTimeoutMillis = 5000;

absl::Status ToStatus(int code, std::string_view what, std::string_view detail) {
  const std::string message = absl::StrFormat("database: %s: %s", what, detail);
  if ((code & 0xff) == SQLITE_FULL) return MakeError(absl::StatusCode::kResourceExhausted, "DISK_LOW", message);
  return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE", message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, bool read_only) {
  sqlite3* handle = nullptr;
  // NOMUTEX: every connection is used by one thread at a time.
  const int flags =
      (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (code != SQLITE_OK) return Annotate(connection->Error("cannot open"), path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMillis);
  LATHE_RETURN_IF_ERROR(connection->Execute("PRAGMA foreign_keys = ON"));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

absl::Status SqliteConnection::Execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error(sql);
  return absl::OkStatus();
}

bool SqliteConnection::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::StatusOr<sqlite3_stmt*> SqliteConnection::Prepare(const char* sql) {
  if (auto found = statements_.find(sql); found != statements_.end()) return found->second;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return Error(sql);
  }
  statements_.emplace(sql, statement);
  return statement;
}

absl::Status SqliteConnection::Error(std::string_view what) const {
  if (handle_ == nullptr) return ToStatus(SQLITE_NOMEM, what, "out of memory");
  return ToStatus(sqlite3_extended_errcode(handle_), what.substr(0, 60), sqlite3_errmsg(handle_));
}

SqliteQuery::SqliteQuery(SqliteConnection& connection, const char* sql) : connection_(connection) {
  auto prepared = connection.Prepare(sql);
  if (prepared.ok()) {
    statement_ = *prepared;
  } else {
    status_ = prepared.status();
  }
}

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

SqliteQuery& SqliteQuery::Int(int64_t value) {
  if (status_.ok() && sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) status_ = connection_.Error("bind");
  return *this;
}

SqliteQuery& SqliteQuery::Text(const std::string& value) {
  if (status_.ok() && sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                                          SQLITE_UTF8) != SQLITE_OK) {
    status_ = connection_.Error("bind");
  }
  return *this;
}

SqliteQuery& SqliteQuery::Blob(const std::string& value) {
  if (status_.ok() &&
      sqlite3_bind_blob64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT) != SQLITE_OK) {
    status_ = connection_.Error("bind");
  }
  return *this;
}

SqliteQuery& SqliteQuery::IntOrNull(int64_t value) {
  if (value != 0) return Int(value);
  ++bound_;  // unbound parameters are NULL
  return *this;
}

SqliteQuery& SqliteQuery::TextOrNull(const std::string& value) {
  if (!value.empty()) return Text(value);
  ++bound_;
  return *this;
}

absl::StatusOr<bool> SqliteQuery::Step() {
  LATHE_RETURN_IF_ERROR(status_);
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return connection_.Error(sqlite3_sql(statement_));
  }
}

absl::Status SqliteQuery::Run() {
  while (true) {
    LATHE_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

int64_t SqliteQuery::GetInt(int column) const { return sqlite3_column_int64(statement_, column); }

std::string SqliteQuery::GetText(int column) const {
  // Blobs and texts alike; the pointer is null for NULL and for an empty blob.
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return "";
  return std::string(static_cast<const char*>(data), static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

}  // namespace lathe
