#include "storage/local_storage.h"

#include <utility>

#include "common/log.h"
#include "storage/data_dir.h"
#include "storage/directory_artifact_store.h"
#include "storage/sqlite_artifact_index.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_job_store.h"

namespace lathe {

// In the order of construction: the lock is taken first and given back last.
struct LocalStorage::Parts {
  std::unique_ptr<DataDirLock> lock;
  std::string jobs_dir;
  std::unique_ptr<DirectoryArtifactStore> store;
  std::unique_ptr<SqliteDatabase> database;
  std::unique_ptr<SqliteJobStore> jobs;
  std::unique_ptr<SqliteArtifactIndex> index;
  std::unique_ptr<Artifacts> artifacts;
};

absl::StatusOr<std::unique_ptr<LocalStorage>> LocalStorage::Open(const std::string& data_dir,
                                                                 const LocalStorageOptions& options,
                                                                 const Clock& clock) {
  auto parts = std::make_unique<Parts>();
  LATHE_ASSIGN_OR_RETURN(parts->lock, DataDirLock::Take(data_dir));
  parts->jobs_dir = data_dir + "/jobs";
  LATHE_RETURN_IF_ERROR(MakeFolder(parts->jobs_dir));
  DirectoryStoreOptions store_options;
  store_options.free_fraction_min = options.free_fraction_min;
  store_options.free_fraction = options.free_fraction;
  LATHE_ASSIGN_OR_RETURN(parts->store, DirectoryArtifactStore::Open(data_dir, std::move(store_options)));
  LATHE_ASSIGN_OR_RETURN(parts->database, SqliteDatabase::Open(data_dir + "/lathe.db"));
  parts->jobs = std::make_unique<SqliteJobStore>(*parts->database, clock);
  parts->index = std::make_unique<SqliteArtifactIndex>(*parts->database, clock);
  parts->artifacts = std::make_unique<Artifacts>(*parts->store, *parts->index);
  LATHE_ASSIGN_OR_RETURN(const int64_t orphans, parts->artifacts->RemoveOrphans());
  if (orphans > 0) {
    Log(LogLevel::kInfo, "orphans_removed", "artifacts that an earlier process did not record", {{"count", orphans}});
  }
  return std::unique_ptr<LocalStorage>(new LocalStorage(std::move(parts)));
}

LocalStorage::LocalStorage(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LocalStorage::~LocalStorage() = default;
JobStore& LocalStorage::jobs() { return *parts_->jobs; }
Artifacts& LocalStorage::artifacts() { return *parts_->artifacts; }
const std::string& LocalStorage::jobs_dir() const { return parts_->jobs_dir; }

}  // namespace lathe
