#ifndef LATHE_STORAGE_SQLITE_CONNECTION_H_
#define LATHE_STORAGE_SQLITE_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lathe {

// One connection with its prepared statements. One thread at a time.
// Every error of SQLite becomes RESOURCE_EXHAUSTED DISK_LOW (full disk) or UNAVAILABLE STORAGE_UNAVAILABLE.
class SqliteConnection {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, bool read_only);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs statements that return nothing of interest.
  absl::Status Execute(const char* sql);
  // False when SQLite itself rolled the transaction back.
  bool InTransaction() const;

 private:
  friend class SqliteQuery;
  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  absl::StatusOr<sqlite3_stmt*> Prepare(const char* sql);
  absl::Status Error(std::string_view what) const;
  sqlite3* handle_;
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;  // keyed by the literals themselves
};

// One run of one statement. Parameters are bound in the order of the calls. `sql` must be a literal: the prepared form
// is kept under it. Errors of preparing and binding come out of Step.
class SqliteQuery {
 public:
  SqliteQuery(SqliteConnection& connection, const char* sql);
  ~SqliteQuery();
  SqliteQuery(const SqliteQuery&) = delete;
  SqliteQuery& operator=(const SqliteQuery&) = delete;

  SqliteQuery& Int(int64_t value);
  SqliteQuery& Text(const std::string& value);
  SqliteQuery& Blob(const std::string& value);
  // NULL for 0 and "": an absent time, an absent request id.
  SqliteQuery& IntOrNull(int64_t value);
  SqliteQuery& TextOrNull(const std::string& value);

  // True: there is a row.
  absl::StatusOr<bool> Step();
  // Steps to the end.
  absl::Status Run();

  // Columns of the row, from 0; NULL reads as 0 or "".
  int64_t GetInt(int column) const;
  std::string GetText(int column) const;

 private:
  SqliteConnection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  absl::Status status_;
  int bound_ = 0;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_SQLITE_CONNECTION_H_
