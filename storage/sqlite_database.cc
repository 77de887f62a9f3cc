#include "storage/sqlite_database.h"

#include <utility>

#include "storage/sqlite_schema.h"

namespace lathe {
namespace {

constexpr size_t kIdleReadersMax = 8;

absl::Status RunInSavepoint(SqliteConnection& connection, const SqliteDatabase::Work& work) {
  LATHE_RETURN_IF_ERROR(SqliteQuery(connection, "SAVEPOINT op").Run());
  absl::Status status = work(connection);
  // After a full disk SQLite may have ended the whole transaction, and the savepoint with it.
  if (!connection.InTransaction()) return status;
  absl::Status end;
  if (!status.ok()) end = SqliteQuery(connection, "ROLLBACK TO op").Run();
  if (end.ok()) end = SqliteQuery(connection, "RELEASE op").Run();
  if (end.ok()) return status;
  // Half an operation must not be committed: without a transaction the batch as a whole fails.
  SqliteQuery(connection, "ROLLBACK").Run().IgnoreError();
  return end;
}

}  // namespace

struct SqliteDatabase::Pending {
  const Work& work;
  const std::function<void()>& on_commit;
  absl::Status status;
  bool done = false;
  std::condition_variable finished;
};

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer, SqliteConnection::Open(path, /*read_only=*/false));
  for (const char* pragma :
       {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 67108864"}) {
    LATHE_RETURN_IF_ERROR(Annotate(writer->Execute(pragma), path));
  }
  LATHE_RETURN_IF_ERROR(Annotate(MigrateSqliteSchema(*writer), path));
  return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(path, std::move(writer)));
}

SqliteDatabase::SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer)
    : path_(std::move(path)), writer_(std::move(writer)), thread_([this] { WriteLoop(); }) {}

SqliteDatabase::~SqliteDatabase() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

absl::Status SqliteDatabase::Write(const Work& work, const std::function<void()>& on_commit) {
  Pending pending{.work = work, .on_commit = on_commit, .status = {}, .done = false, .finished = {}};
  std::unique_lock<std::mutex> lock(mutex_);
  queue_.push_back(&pending);
  wake_.notify_one();
  pending.finished.wait(lock, [&] { return pending.done; });
  return std::move(pending.status);
}

void SqliteDatabase::WriteLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::vector<Pending*> batch = std::exchange(queue_, {});
    lock.unlock();
    RunBatch(batch);
    lock.lock();
    for (Pending* pending : batch) {
      pending->done = true;
      pending->finished.notify_one();  // under the lock: `pending` ends when its owner wakes
    }
  }
}

void SqliteDatabase::RunBatch(const std::vector<Pending*>& batch) {
  absl::Status fatal = SqliteQuery(*writer_, "BEGIN IMMEDIATE").Run();
  for (Pending* pending : batch) {
    if (!fatal.ok()) break;
    pending->status = RunInSavepoint(*writer_, pending->work);
    if (!writer_->InTransaction()) fatal = pending->status;
  }
  if (fatal.ok()) fatal = SqliteQuery(*writer_, "COMMIT").Run();
  if (!fatal.ok()) {
    if (writer_->InTransaction()) SqliteQuery(*writer_, "ROLLBACK").Run().IgnoreError();  // `fatal` tells more
    for (Pending* pending : batch) {
      if (pending->status.ok()) pending->status = fatal;
    }
    return;
  }
  for (Pending* pending : batch) {
    if (pending->status.ok() && pending->on_commit) pending->on_commit();
  }
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteDatabase::TakeReader() {
  {
    const std::lock_guard<std::mutex> lock(readers_mutex_);
    if (!readers_.empty()) {
      std::unique_ptr<SqliteConnection> reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return SqliteConnection::Open(path_, /*read_only=*/true);
}

absl::Status SqliteDatabase::Read(const Work& work) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader, TakeReader());
  LATHE_RETURN_IF_ERROR(SqliteQuery(*reader, "BEGIN").Run());
  absl::Status status = work(*reader);
  // A connection that cannot end its snapshot is dropped; it would hold back the checkpoint.
  if (!SqliteQuery(*reader, "COMMIT").Run().ok()) return status;
  const std::lock_guard<std::mutex> lock(readers_mutex_);
  if (readers_.size() < kIdleReadersMax) readers_.push_back(std::move(reader));
  return status;
}

}  // namespace lathe
