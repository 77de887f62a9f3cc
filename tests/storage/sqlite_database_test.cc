#include "storage/sqlite_database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

class SqliteDatabaseTest : public testing::Test {
 protected:
  SqliteDatabaseTest() {
    auto opened = SqliteDatabase::Open(dir_ / "db");
    EXPECT_TRUE(Succeeds(opened));
    database_ = *std::move(opened);
    EXPECT_TRUE(
        Succeeds(database_->Write([](SqliteConnection& c) { return c.Execute("CREATE TABLE t (x INTEGER UNIQUE)"); })));
  }
  static absl::Status Add(SqliteConnection& connection, int64_t x) {
    return SqliteQuery(connection, "INSERT INTO t VALUES (?)").Int(x).Run();
  }
  int64_t Count() {
    int64_t count = -1;
    EXPECT_TRUE(Succeeds(database_->Read([&](SqliteConnection& connection) -> absl::Status {
      SqliteQuery query(connection, "SELECT count(*) FROM t");
      LATHE_RETURN_IF_ERROR(query.Step().status());
      count = query.GetInt(0);
      return absl::OkStatus();
    })));
    return count;
  }
  TempDir dir_;
  std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SqliteDatabaseTest, RollsBackAFailedOperationAlone) {
  std::vector<std::thread> threads;
  std::atomic<int> failed{0}, told{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status status = database_->Write(
          [&](SqliteConnection& connection) -> absl::Status {
            LATHE_RETURN_IF_ERROR(Add(connection, i));
            return i % 2 == 0 ? absl::OkStatus() : absl::AbortedError("odd");
          },
          [&] { ++told; });
      if (absl::IsAborted(status)) ++failed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 8);
  EXPECT_EQ(told, 8);
  EXPECT_EQ(Count(), 8);
}

TEST_F(SqliteDatabaseTest, GoesOnAfterAFailedStatement) {
  ASSERT_TRUE(Succeeds(database_->Write([](SqliteConnection& c) { return Add(c, 1); })));
  EXPECT_TRUE(Fails(database_->Write([](SqliteConnection& c) { return Add(c, 1); }), absl::StatusCode::kUnavailable,
                    "STORAGE_UNAVAILABLE", "UNIQUE"));
  EXPECT_TRUE(Succeeds(database_->Write([](SqliteConnection& c) { return Add(c, 2); })));
  EXPECT_EQ(Count(), 2);
}

TEST_F(SqliteDatabaseTest, ReadersSeeWhatWasAnsweredAndCannotWrite) {
  ASSERT_TRUE(Succeeds(database_->Write([](SqliteConnection& c) { return Add(c, 1); })));
  EXPECT_EQ(Count(), 1);
  EXPECT_FALSE(database_->Read([](SqliteConnection& c) { return Add(c, 2); }).ok());
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteDatabaseTest, SaysThatTheDiskIsFull) {
  // SQLite answers a full disk and a full page budget alike.
  const absl::Status status = database_->Write([](SqliteConnection& connection) -> absl::Status {
    LATHE_RETURN_IF_ERROR(connection.Execute("PRAGMA max_page_count = 1"));
    LATHE_RETURN_IF_ERROR(connection.Execute("CREATE TABLE big (x BLOB)"));
    return connection.Execute("INSERT INTO big VALUES (zeroblob(10000000))");
  });
  EXPECT_TRUE(Fails(status, absl::StatusCode::kResourceExhausted, "DISK_LOW"));
  ASSERT_TRUE(
      Succeeds(database_->Write([](SqliteConnection& c) { return c.Execute("PRAGMA max_page_count = 1000000"); })));
  EXPECT_TRUE(Succeeds(database_->Write([](SqliteConnection& c) { return Add(c, 3); })));
}

TEST_F(SqliteDatabaseTest, FailsAWholeBatchWhenSqliteEndedTheTransaction) {
  const absl::Status status = database_->Write([](SqliteConnection& connection) -> absl::Status {
    LATHE_RETURN_IF_ERROR(Add(connection, 7));
    LATHE_RETURN_IF_ERROR(connection.Execute("ROLLBACK"));
    return absl::UnavailableError("gone");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Count(), 0);
  EXPECT_TRUE(Succeeds(database_->Write([](SqliteConnection& c) { return Add(c, 3); })));
}

TEST(SqliteDatabaseOpenTest, SyncsEveryCommit) {
  const TempDir dir;
  auto database = SqliteDatabase::Open(dir / "db");
  ASSERT_TRUE(Succeeds(database));
  ASSERT_TRUE(Succeeds((*database)->Write([](SqliteConnection& connection) -> absl::Status {
    SqliteQuery synchronous(connection, "PRAGMA synchronous");
    LATHE_RETURN_IF_ERROR(synchronous.Step().status());
    EXPECT_EQ(synchronous.GetInt(0), 2);  // FULL
    SqliteQuery mode(connection, "PRAGMA journal_mode");
    LATHE_RETURN_IF_ERROR(mode.Step().status());
    EXPECT_EQ(mode.GetText(0), "wal");
    return absl::OkStatus();
  })));
}

TEST(SqliteDatabaseOpenTest, NamesTheFileThatCannotBeOpened) {
  EXPECT_TRUE(Fails(SqliteDatabase::Open("/no/such/folder/db"), absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                    "/no/such/folder/db"));
}

}  // namespace
}  // namespace lathe
