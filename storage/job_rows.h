#ifndef LATHE_STORAGE_JOB_ROWS_H_
#define LATHE_STORAGE_JOB_ROWS_H_

// The statements of the job tables that SqliteJobStore is made of. All run inside a transaction of the caller.

#include <optional>
#include <string>
#include <vector>

#include "storage/job_store.h"
#include "storage/sqlite_connection.h"

namespace lathe {

absl::Status JobNotFound(const JobKey& key);

absl::StatusOr<std::optional<JobRecord>> FindJob(SqliteConnection& connection, const JobKey& key);
absl::StatusOr<std::optional<JobRecord>> FindJobByOrder(SqliteConnection& connection, int64_t order);
absl::StatusOr<std::vector<JobRecord>> ListJobs(SqliteConnection& connection, const JobFilter& filter, int limit,
                                                int64_t cursor);

// The row of a new QUEUED job with its inputs and its first event; returns its order. REQUIRES: key and uid are unique.
absl::StatusOr<int64_t> InsertJobRow(SqliteConnection& connection, const NewJob& job, const JobKey& key,
                                     const std::string& uid, int64_t now_micros);

// What a change of state writes; the guard of JobTransition decides whether it applies.
struct JobTransition {
  JobState to = JobState::kQueued;
  std::string result = "";
  JobError error = {};
  bool request_cancel = false;  // sets the flag; it is never cleared
  int attempt_change = 0;
  int64_t run_after_micros = 0;  // QUEUED only: not claimed before
};

// What subscribers are told of a transition.
struct Transitioned {
  JobChange change;
  std::optional<JobEnd> end;  // set when the state is terminal
};

// Applies the transition to the job if its state is one of `from` (a bit set, StateBit) and, for token >= 0, its token
// is that one; appends the event. nullopt: the guard did not hold, nothing was changed.
absl::StatusOr<std::optional<Transitioned>> ApplyTransition(SqliteConnection& connection, const JobKey& key,
                                                            int64_t from, int64_t token,
                                                            const JobTransition& transition, int64_t now_micros);
constexpr int64_t StateBit(JobState state) { return int64_t{1} << static_cast<int>(state); }

// Event `sequence` of the job with this order.
absl::Status InsertEvent(SqliteConnection& connection, int64_t order, int64_t sequence, int64_t now_micros,
                         JobState state, int64_t attempt, const std::string& progress);

absl::StatusOr<int64_t> CountJobs(SqliteConnection& connection, JobState state);

}  // namespace lathe

#endif  // LATHE_STORAGE_JOB_ROWS_H_
