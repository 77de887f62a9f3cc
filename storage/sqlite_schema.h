#ifndef LATHE_STORAGE_SQLITE_SCHEMA_H_
#define LATHE_STORAGE_SQLITE_SCHEMA_H_

#include "common/status.h"
#include "storage/sqlite_connection.h"

namespace lathe {

// Makes the tables, or changes those of an older version, in one transaction.
// FAILED_PRECONDITION SCHEMA_TOO_NEW: a newer version wrote the file; nothing was touched.
absl::Status MigrateSqliteSchema(SqliteConnection& connection);

}  // namespace lathe

#endif  // LATHE_STORAGE_SQLITE_SCHEMA_H_
