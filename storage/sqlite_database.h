#ifndef LATHE_STORAGE_SQLITE_DATABASE_H_
#define LATHE_STORAGE_SQLITE_DATABASE_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/status.h"
#include "storage/sqlite_connection.h"

namespace lathe {

// The database file: one writing connection on a thread of its own, and reading ones as needed.
//
// Writes that arrive while a commit is being written to the disk are gathered and committed together (group commit):
// with one connection per caller, SQLite's writers starve one another (8 callers: 169 against 5,700 claim+complete a
// second, and 8.9 s against 11 ms for the slowest). WAL with synchronous=FULL: what Write answered survives a power
// loss.
class SqliteDatabase {
 public:
  using Work = std::function<absl::Status(SqliteConnection&)>;

  // Makes the file or brings its schema up to date. FAILED_PRECONDITION SCHEMA_TOO_NEW: a newer version wrote it.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::string& path);
  // Finishes the writes that wait. REQUIRES: no call is under way.
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs `work` on the writer thread inside a transaction, then `on_commit` (may be empty) there, and returns when the
  // commit is durable. If `work` fails, its changes alone are rolled back and its error is returned. `work` must touch
  // nothing but the connection and variables of the caller; it may run only once.
  absl::Status Write(const Work& work, const std::function<void()>& on_commit = {});

  // Runs `work` on the calling thread with a read-only connection, in one snapshot that holds everything committed
  // before.
  absl::Status Read(const Work& work);

 private:
  struct Pending;
  SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer);
  void WriteLoop();
  void RunBatch(const std::vector<Pending*>& batch);
  absl::StatusOr<std::unique_ptr<SqliteConnection>> TakeReader();

  const std::string path_;
  std::unique_ptr<SqliteConnection> writer_;  // the writer thread's alone
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Pending*> queue_;
  bool stopping_ = false;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;  // idle ones
  std::thread thread_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_SQLITE_DATABASE_H_
