#ifndef LATHE_STORAGE_SQLITE_JOB_STORE_H_
#define LATHE_STORAGE_SQLITE_JOB_STORE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "storage/change_feed.h"
#include "storage/job_rows.h"
#include "storage/job_store.h"
#include "storage/sqlite_database.h"

namespace lathe {

// JobStore in one SQLite file that one process uses. Both references must outlive the object.
class SqliteJobStore final : public JobStore {
 public:
  SqliteJobStore(SqliteDatabase& database, const Clock& clock) : database_(database), clock_(clock) {}

  absl::StatusOr<Inserted> Insert(const NewJob& job, int64_t queued_max) override;
  absl::StatusOr<JobRecord> Get(const JobKey& key) override;
  absl::StatusOr<JobPage> List(const JobFilter& filter, int page_size, int64_t cursor) override;
  absl::StatusOr<std::vector<JobRecord>> Claim(const std::string& worker, int n) override;
  absl::StatusOr<bool> UpdateProgress(const JobKey& key, int64_t token, const std::string& progress) override;
  absl::Status Complete(const JobKey& key, int64_t token, const JobOutcome& outcome) override;
  absl::Status Release(const JobKey& key, int64_t token, ReleaseReason reason,
                       std::chrono::milliseconds delay) override;
  absl::StatusOr<JobRecord> Cancel(const JobKey& key) override;
  absl::Status Delete(const JobKey& key) override;
  absl::StatusOr<std::vector<JobEvent>> Events(const JobKey& key, int64_t after_sequence, int limit) override;
  absl::StatusOr<Requeued> RequeueRunning() override;
  absl::StatusOr<int64_t> ExpireQueued() override;
  absl::StatusOr<JobCounts> Counts() override;
  uint64_t Subscribe(const JobKey& key, std::function<void(const JobChange&)> callback) override;
  uint64_t SubscribeQueue(std::function<void()> callback) override;
  uint64_t SubscribeEnds(std::function<void(const JobEnd&)> callback) override;
  void Unsubscribe(uint64_t subscription) override;

 private:
  // What a transaction did that subscribers are told of.
  struct Changes {
    std::vector<JobChange> jobs;
    std::vector<JobEnd> ends;
    void Add(JobChange change) { jobs.push_back(std::move(change)); }
    void Add(Transitioned done) {
      jobs.push_back(std::move(done.change));
      if (done.end) ends.push_back(*std::move(done.end));
    }
  };
  // Writes, and tells the subscribers of the changes that `work` noted.
  absl::Status WriteAndPublish(const std::function<absl::Status(SqliteConnection&, Changes&)>& work);

  SqliteDatabase& database_;
  const Clock& clock_;
  ChangeFeed feed_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_SQLITE_JOB_STORE_H_
