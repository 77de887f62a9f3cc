#include "storage/sqlite_job_store.h"

#include <optional>
#include <utility>

#include "common/random_id.h"
#include "storage/job_rows.h"

namespace lathe {
namespace {

constexpr int64_t kHeld = StateBit(JobState::kRunning) | StateBit(JobState::kCancelling);
constexpr int64_t kAnyToken = -1;

absl::Status LeaseLost(const JobKey& key, int64_t token) {
  return MakeError(
      absl::StatusCode::kAborted, "LEASE_LOST",
      absl::StrFormat("job '%s': attempt with token %d is no longer the job's; throw its work away", key.id, token));
}

JobError CancelledError(const char* when) {
  return {absl::StatusCode::kCancelled, "CANCELLED", absl::StrFormat("the job was cancelled %s", when), ""};
}

// An earlier job with the same request id.
absl::StatusOr<std::optional<JobRecord>> FindRepeated(SqliteConnection& connection, const NewJob& job) {
  if (job.request_id.empty()) return std::nullopt;
  SqliteQuery query(connection, "SELECT id, request_hash FROM job WHERE project = ? AND request_id = ?");
  query.Text(job.project).Text(job.request_id);
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::nullopt;
  const JobKey key{job.project, query.GetText(0)};
  if (query.GetText(1) != job.request_hash) {
    return MakeError(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                     absl::StrFormat("request_id '%s' came before with another request (job '%s'): use a new one for a "
                                     "new request",
                                     job.request_id, key.id));
  }
  return FindJob(connection, key);
}

absl::Status CheckInputs(SqliteConnection& connection, const NewJob& job) {
  for (const std::string& sha256 : job.inputs) {
    SqliteQuery query(connection, "SELECT 1 FROM artifact WHERE project = ? AND sha256 = ?");
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Text(job.project).Text(sha256).Step());
    if (!row) {
      return MakeError(absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND",
                       absl::StrFormat("project '%s' has no artifact '%s': upload it first", job.project, sha256));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRoom(SqliteConnection& connection, int64_t queued_max) {
  LATHE_ASSIGN_OR_RETURN(const int64_t queued, CountJobs(connection, JobState::kQueued));
  if (queued < queued_max) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL",
                   absl::StrFormat("%d jobs are queued, at most %d may be: try again later", queued, queued_max));
}

absl::StatusOr<JobRecord> MustFindByOrder(SqliteConnection& connection, int64_t order) {
  LATHE_ASSIGN_OR_RETURN(std::optional<JobRecord> job, FindJobByOrder(connection, order));
  if (!job) return absl::InternalError(absl::StrFormat("row %d of table job vanished in a transaction", order));
  return *std::move(job);
}

absl::StatusOr<JobRecord> InsertNew(SqliteConnection& connection, const NewJob& job, int64_t queued_max,
                                    int64_t now_micros) {
  const JobKey key{job.project, job.id.empty() ? "j-" + TimeOrderedId(now_micros) : job.id};
  LATHE_ASSIGN_OR_RETURN(const std::optional<JobRecord> taken, FindJob(connection, key));
  if (taken) {
    return MakeError(absl::StatusCode::kAlreadyExists, "JOB_EXISTS",
                     absl::StrFormat("project '%s' already has a job '%s': choose another id", key.project, key.id));
  }
  LATHE_RETURN_IF_ERROR(CheckInputs(connection, job));
  LATHE_RETURN_IF_ERROR(CheckRoom(connection, queued_max));
  LATHE_ASSIGN_OR_RETURN(const int64_t order, InsertJobRow(connection, job, key, RandomUuid(), now_micros));
  return MustFindByOrder(connection, order);
}

absl::StatusOr<int64_t> NextToken(SqliteConnection& connection) {
  SqliteQuery query(connection, "UPDATE fencing SET token = token + 1 RETURNING token");
  LATHE_RETURN_IF_ERROR(query.Step().status());
  const int64_t token = query.GetInt(0);
  LATHE_RETURN_IF_ERROR(query.Run());
  return token;
}

// The head of the queue becomes RUNNING; nullopt when nothing is queued.
absl::StatusOr<std::optional<JobRecord>> ClaimOne(SqliteConnection& connection, const std::string& worker,
                                                  int64_t now_micros) {
  int64_t order = 0;
  {
    SqliteQuery query(connection,
                      "SELECT ord FROM job WHERE state = 1 AND run_after <= ? AND (deadline IS NULL OR deadline > ?) "
                      "ORDER BY priority DESC, ord LIMIT 1");
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Int(now_micros).Int(now_micros).Step());
    if (!row) return std::nullopt;
    order = query.GetInt(0);
  }
  LATHE_ASSIGN_OR_RETURN(const int64_t token, NextToken(connection));
  {
    SqliteQuery query(connection,
                      "UPDATE job SET state = 2, attempt = attempt + 1, token = ?, worker = ?, start_time = ?, "
                      "progress = x'', version = version + 1, last_sequence = last_sequence + 1 "
                      "WHERE ord = ? AND state = 1");
    LATHE_RETURN_IF_ERROR(query.Int(token).Text(worker).Int(now_micros).Int(order).Run());
  }
  LATHE_ASSIGN_OR_RETURN(JobRecord job, MustFindByOrder(connection, order));
  LATHE_RETURN_IF_ERROR(
      InsertEvent(connection, order, job.last_sequence, now_micros, JobState::kRunning, job.attempt, ""));
  return job;
}

JobChange ChangeOf(const JobRecord& job) {
  return {.key = job.key, .state = job.state, .last_sequence = job.last_sequence};
}

// What becomes of a job whose server died while it ran.
JobTransition AfterCrash(const JobRecord& job) {
  if (job.cancel_requested) {
    return {.to = JobState::kCancelled, .error = CancelledError("while the server was away")};
  }
  if (job.attempt < job.max_attempts) return {.to = JobState::kQueued};
  return {.to = JobState::kFailed,
          .error = {absl::StatusCode::kInternal, "POISON",
                    absl::StrFormat("the server ended during each of the job's %d attempts: the job may be the cause",
                                    job.attempt),
                    ""}};
}

absl::StatusOr<std::vector<JobRecord>> HeldJobs(SqliteConnection& connection) {
  std::vector<int64_t> orders;
  {
    SqliteQuery query(connection, "SELECT ord FROM job WHERE state IN (2, 3) ORDER BY ord");
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) break;
      orders.push_back(query.GetInt(0));
    }
  }
  std::vector<JobRecord> jobs;
  for (int64_t order : orders) {
    LATHE_ASSIGN_OR_RETURN(JobRecord job, MustFindByOrder(connection, order));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

absl::StatusOr<std::vector<JobKey>> OverdueKeys(SqliteConnection& connection, int64_t now_micros) {
  SqliteQuery query(connection,
                    "SELECT project, id FROM job WHERE state = 1 AND deadline IS NOT NULL AND deadline <= ?");
  query.Int(now_micros);
  std::vector<JobKey> keys;
  while (true) {
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return keys;
    keys.push_back({query.GetText(0), query.GetText(1)});
  }
}

}  // namespace

absl::Status SqliteJobStore::WriteAndPublish(const std::function<absl::Status(SqliteConnection&, Changes&)>& work) {
  Changes changes;
  return database_.Write([&](SqliteConnection& connection) { return work(connection, changes); },
                         [&] {
                           // Ends first: whoever waits for a job's end finds it counted.
                           for (const JobEnd& end : changes.ends) feed_.PublishEnd(end);
                           for (const JobChange& change : changes.jobs) feed_.Publish(change);
                         });
}

absl::StatusOr<JobStore::Inserted> SqliteJobStore::Insert(const NewJob& job, int64_t queued_max) {
  Inserted inserted;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(std::optional<JobRecord> repeated, FindRepeated(connection, job));
    inserted.existing = repeated.has_value();
    if (repeated) {
      inserted.job = *std::move(repeated);
      return absl::OkStatus();
    }
    LATHE_ASSIGN_OR_RETURN(inserted.job, InsertNew(connection, job, queued_max, clock_.NowMicros()));
    changes.Add(ChangeOf(inserted.job));
    return absl::OkStatus();
  }));
  return inserted;
}

absl::StatusOr<JobRecord> SqliteJobStore::Get(const JobKey& key) {
  std::optional<JobRecord> job;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(job, FindJob(connection, key));
    return absl::OkStatus();
  }));
  if (!job) return JobNotFound(key);
  return *std::move(job);
}

absl::StatusOr<JobPage> SqliteJobStore::List(const JobFilter& filter, int page_size, int64_t cursor) {
  JobPage page;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    // One more than asked for tells whether there is a next page.
    LATHE_ASSIGN_OR_RETURN(page.jobs, ListJobs(connection, filter, page_size + 1, cursor));
    return absl::OkStatus();
  }));
  if (page.jobs.size() > static_cast<size_t>(page_size)) {
    page.jobs.pop_back();
    page.next_cursor = page.jobs.back().order;
  }
  return page;
}

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::Claim(const std::string& worker, int n) {
  std::vector<JobRecord> claimed;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    for (int i = 0; i < n; ++i) {
      LATHE_ASSIGN_OR_RETURN(std::optional<JobRecord> job, ClaimOne(connection, worker, clock_.NowMicros()));
      if (!job) break;
      changes.Add(ChangeOf(*job));
      claimed.push_back(*std::move(job));
    }
    return absl::OkStatus();
  }));
  return claimed;
}

absl::StatusOr<bool> SqliteJobStore::UpdateProgress(const JobKey& key, int64_t token, const std::string& progress) {
  bool cancel = false;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    int64_t order = 0, sequence = 0, attempt = 0;
    JobState state = JobState::kRunning;
    {
      SqliteQuery query(connection,
                        "UPDATE job SET progress = ?, version = version + 1, last_sequence = last_sequence + 1 "
                        "WHERE project = ? AND id = ? AND token = ? AND state IN (2, 3) "
                        "RETURNING ord, last_sequence, attempt, state, cancel_requested");
      query.Blob(progress).Text(key.project).Text(key.id).Int(token);
      LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return LeaseLost(key, token);
      order = query.GetInt(0);
      sequence = query.GetInt(1);
      attempt = query.GetInt(2);
      state = static_cast<JobState>(query.GetInt(3));
      cancel = query.GetInt(4) != 0;
      LATHE_RETURN_IF_ERROR(query.Run());
    }
    changes.Add(JobChange{.key = key, .state = state, .last_sequence = sequence});
    return InsertEvent(connection, order, sequence, clock_.NowMicros(), state, attempt, progress);
  }));
  return cancel;
}

absl::Status SqliteJobStore::Complete(const JobKey& key, int64_t token, const JobOutcome& outcome) {
  return WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    const JobTransition transition{.to = outcome.state, .result = outcome.result, .error = outcome.error};
    LATHE_ASSIGN_OR_RETURN(const std::optional<Transitioned> change,
                           ApplyTransition(connection, key, kHeld, token, transition, clock_.NowMicros()));
    if (!change) return LeaseLost(key, token);
    changes.Add(*change);
    return absl::OkStatus();
  });
}

absl::Status SqliteJobStore::Release(const JobKey& key, int64_t token, ReleaseReason reason,
                                     std::chrono::milliseconds delay) {
  return WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const std::optional<JobRecord> job, FindJob(connection, key));
    if (!job) return LeaseLost(key, token);
    JobTransition transition{.to = JobState::kQueued,
                             .run_after_micros = clock_.NowMicros() + std::chrono::microseconds(delay).count()};
    if (job->cancel_requested) {
      transition = {.to = JobState::kCancelled, .error = CancelledError("while it ran")};
    } else if (reason == ReleaseReason::kDrained) {
      transition.attempt_change = -1;
    }
    LATHE_ASSIGN_OR_RETURN(const std::optional<Transitioned> change,
                           ApplyTransition(connection, key, kHeld, token, transition, clock_.NowMicros()));
    if (!change) return LeaseLost(key, token);
    changes.Add(*change);
    return absl::OkStatus();
  });
}

absl::StatusOr<JobRecord> SqliteJobStore::Cancel(const JobKey& key) {
  std::optional<JobRecord> job;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    const int64_t now = clock_.NowMicros();
    LATHE_ASSIGN_OR_RETURN(
        std::optional<Transitioned> change,
        ApplyTransition(
            connection, key, StateBit(JobState::kQueued), kAnyToken,
            {.to = JobState::kCancelled, .error = CancelledError("before it started"), .request_cancel = true}, now));
    if (!change) {
      LATHE_ASSIGN_OR_RETURN(change, ApplyTransition(connection, key, StateBit(JobState::kRunning), kAnyToken,
                                                     {.to = JobState::kCancelling, .request_cancel = true}, now));
    }
    if (change) changes.Add(*std::move(change));
    LATHE_ASSIGN_OR_RETURN(job, FindJob(connection, key));
    return absl::OkStatus();
  }));
  if (!job) return JobNotFound(key);
  return *std::move(job);
}

absl::Status SqliteJobStore::Delete(const JobKey& key) {
  return WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const std::optional<JobRecord> job, FindJob(connection, key));
    if (!job) return JobNotFound(key);
    if (!IsTerminal(job->state)) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "JOB_NOT_FINISHED",
          absl::StrFormat("job '%s' is %s: cancel it or wait for its end first", key.id, JobStateName(job->state)));
    }
    changes.Add(JobChange{.key = key, .state = job->state, .last_sequence = job->last_sequence, .deleted = true});
    return SqliteQuery(connection, "DELETE FROM job WHERE ord = ?").Int(job->order).Run();
  });
}

absl::StatusOr<std::vector<JobEvent>> SqliteJobStore::Events(const JobKey& key, int64_t after_sequence, int limit) {
  std::vector<JobEvent> events;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    SqliteQuery find(connection, "SELECT ord FROM job WHERE project = ? AND id = ?");
    LATHE_ASSIGN_OR_RETURN(const bool found, find.Text(key.project).Text(key.id).Step());
    if (!found) return JobNotFound(key);
    SqliteQuery query(connection,
                      "SELECT sequence, time, state, attempt, progress FROM job_event "
                      "WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?");
    query.Int(find.GetInt(0)).Int(after_sequence).Int(limit);
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return absl::OkStatus();
      events.push_back({.sequence = query.GetInt(0),
                        .time_micros = query.GetInt(1),
                        .state = static_cast<JobState>(query.GetInt(2)),
                        .attempt = static_cast<int>(query.GetInt(3)),
                        .progress = query.GetText(4)});
    }
  }));
  return events;
}

absl::StatusOr<JobStore::Requeued> SqliteJobStore::RequeueRunning() {
  Requeued counts;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const std::vector<JobRecord> jobs, HeldJobs(connection));
    for (const JobRecord& job : jobs) {
      const JobTransition transition = AfterCrash(job);
      LATHE_ASSIGN_OR_RETURN(const std::optional<Transitioned> change,
                             ApplyTransition(connection, job.key, kHeld, job.token, transition, clock_.NowMicros()));
      if (!change) continue;
      changes.Add(*change);
      if (change->change.state == JobState::kQueued) ++counts.queued;
      if (change->change.state == JobState::kFailed) ++counts.poisoned;
      if (change->change.state == JobState::kCancelled) ++counts.cancelled;
    }
    return absl::OkStatus();
  }));
  return counts;
}

absl::StatusOr<int64_t> SqliteJobStore::ExpireQueued() {
  std::vector<JobKey> overdue;
  const int64_t now = clock_.NowMicros();
  // Called often and mostly in vain: reading costs no commit.
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(overdue, OverdueKeys(connection, now));
    return absl::OkStatus();
  }));
  int64_t expired = 0;
  if (overdue.empty()) return expired;
  LATHE_RETURN_IF_ERROR(WriteAndPublish([&](SqliteConnection& connection, Changes& changes) -> absl::Status {
    for (const JobKey& key : overdue) {
      const JobTransition transition{.to = JobState::kExpired,
                                     .error = {absl::StatusCode::kDeadlineExceeded, "EXPIRED",
                                               "the job's deadline passed before it was started", ""}};
      LATHE_ASSIGN_OR_RETURN(const std::optional<Transitioned> change,
                             ApplyTransition(connection, key, StateBit(JobState::kQueued), kAnyToken, transition, now));
      if (!change) continue;
      changes.Add(*change);
      ++expired;
    }
    return absl::OkStatus();
  }));
  return expired;
}

absl::StatusOr<JobCounts> SqliteJobStore::Counts() {
  JobCounts counts;
  LATHE_RETURN_IF_ERROR(database_.Read([&](SqliteConnection& connection) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(counts.queued, CountJobs(connection, JobState::kQueued));
    LATHE_ASSIGN_OR_RETURN(counts.running, CountJobs(connection, JobState::kRunning));
    return absl::OkStatus();
  }));
  return counts;
}

uint64_t SqliteJobStore::Subscribe(const JobKey& key, std::function<void(const JobChange&)> callback) {
  return feed_.Subscribe(key, std::move(callback));
}
uint64_t SqliteJobStore::SubscribeQueue(std::function<void()> callback) {
  return feed_.SubscribeQueue(std::move(callback));
}
uint64_t SqliteJobStore::SubscribeEnds(std::function<void(const JobEnd&)> callback) {
  return feed_.SubscribeEnds(std::move(callback));
}
void SqliteJobStore::Unsubscribe(uint64_t subscription) { feed_.Unsubscribe(subscription); }

}  // namespace lathe
