#include "storage/sqlite_schema.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

TEST(SqliteSchemaTest, MakesTablesOnce) {
  const TempDir dir;
  auto connection = SqliteConnection::Open(dir / "db", false);
  ASSERT_TRUE(Succeeds(connection));
  ASSERT_TRUE(Succeeds(MigrateSqliteSchema(**connection)));
  ASSERT_TRUE(Succeeds(MigrateSqliteSchema(**connection)));
  EXPECT_TRUE(Succeeds((*connection)->Execute("SELECT * FROM job, job_event, job_input, artifact, upload")));
}

TEST(SqliteSchemaTest, BringsAnOlderFileUpToDate) {
  const TempDir dir;
  auto connection = SqliteConnection::Open(dir / "db", false);
  ASSERT_TRUE(Succeeds(connection));
  ASSERT_TRUE(Succeeds(MigrateSqliteSchema(**connection)));
  ASSERT_TRUE(Succeeds((*connection)->Execute("ALTER TABLE job DROP COLUMN run_after; PRAGMA user_version = 1")));
  ASSERT_FALSE((*connection)->Execute("SELECT run_after FROM job").ok());
  ASSERT_TRUE(Succeeds(MigrateSqliteSchema(**connection)));
  EXPECT_TRUE(Succeeds((*connection)->Execute("SELECT run_after FROM job")));
}

TEST(SqliteSchemaTest, RefusesANewerFile) {
  const TempDir dir;
  auto connection = SqliteConnection::Open(dir / "db", false);
  ASSERT_TRUE(Succeeds(connection));
  ASSERT_TRUE(Succeeds((*connection)->Execute("PRAGMA user_version = 99")));
  EXPECT_TRUE(Fails(MigrateSqliteSchema(**connection), absl::StatusCode::kFailedPrecondition, "SCHEMA_TOO_NEW", "99"));
}

// The last guard, should the code above it be wrong: a finish time exactly in final states.
TEST(SqliteSchemaTest, RefusesRowsThatCannotBe) {
  const TempDir dir;
  auto connection = SqliteConnection::Open(dir / "db", false);
  ASSERT_TRUE(Succeeds(connection));
  ASSERT_TRUE(Succeeds(MigrateSqliteSchema(**connection)));
  const std::string columns =
      "INSERT INTO job (project, id, uid, kind, preset, spec, labels, priority, max_attempts, create_time, retry_of, "
      "request_hash, state, finish_time) VALUES ('p', 'i', 'u', 'k', '', x'', x'', 0, 3, 1, '', '', ";
  EXPECT_FALSE((*connection)->Execute((columns + "1, 5)").c_str()).ok());
  EXPECT_FALSE((*connection)->Execute((columns + "4, NULL)").c_str()).ok());
  EXPECT_TRUE(Succeeds((*connection)->Execute((columns + "4, 5)").c_str())));
}

}  // namespace
}  // namespace lathe
