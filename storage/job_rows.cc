#include "storage/job_rows.h"

#include <utility>

#include "storage/labels.h"

namespace lathe {
namespace {

#define LATHE_JOB_COLUMNS                                                                               \
  "ord, project, id, uid, kind, preset, spec, state, result, error_code, error_reason, error_message, " \
  "error_details, progress, labels, priority, attempt, max_attempts, cancel_requested, worker, token, " \
  "create_time, start_time, finish_time, deadline, retry_of, version, last_sequence"

JobRecord ReadRow(const SqliteQuery& row) {
  JobRecord job;
  job.order = row.GetInt(0);
  job.key = {row.GetText(1), row.GetText(2)};
  job.uid = row.GetText(3);
  job.kind = row.GetText(4);
  job.preset = row.GetText(5);
  job.spec = row.GetText(6);
  job.state = static_cast<JobState>(row.GetInt(7));
  job.result = row.GetText(8);
  job.error = {static_cast<absl::StatusCode>(row.GetInt(9)), row.GetText(10), row.GetText(11), row.GetText(12)};
  job.progress = row.GetText(13);
  job.labels = DecodeLabels(row.GetText(14));
  job.priority = static_cast<int>(row.GetInt(15));
  job.attempt = static_cast<int>(row.GetInt(16));
  job.max_attempts = static_cast<int>(row.GetInt(17));
  job.cancel_requested = row.GetInt(18) != 0;
  job.worker = row.GetText(19);
  job.token = row.GetInt(20);
  job.create_time_micros = row.GetInt(21);
  job.start_time_micros = row.GetInt(22);
  job.finish_time_micros = row.GetInt(23);
  job.deadline_micros = row.GetInt(24);
  job.retry_of = row.GetText(25);
  job.version = row.GetInt(26);
  job.last_sequence = row.GetInt(27);
  return job;
}

absl::Status ReadInputs(SqliteConnection& connection, JobRecord& job) {
  SqliteQuery query(connection, "SELECT sha256 FROM job_input WHERE job = ? ORDER BY position");
  query.Int(job.order);
  while (true) {
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return absl::OkStatus();
    job.inputs.push_back(query.GetText(0));
  }
}

absl::StatusOr<std::optional<JobRecord>> ReadOne(SqliteConnection& connection, SqliteQuery& query) {
  LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::nullopt;
  JobRecord job = ReadRow(query);
  LATHE_RETURN_IF_ERROR(ReadInputs(connection, job));
  return job;
}

}  // namespace

const char* JobStateName(JobState state) {
  constexpr const char* kNames[] = {"STATE_UNSPECIFIED", "QUEUED", "RUNNING",   "CANCELLING",
                                    "SUCCEEDED",         "FAILED", "CANCELLED", "EXPIRED"};
  return kNames[static_cast<int>(state)];
}

absl::Status JobNotFound(const JobKey& key) {
  return MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND",
                   absl::StrFormat("project '%s' has no job '%s'", key.project, key.id));
}

absl::StatusOr<std::optional<JobRecord>> FindJob(SqliteConnection& connection, const JobKey& key) {
  SqliteQuery query(connection, "SELECT " LATHE_JOB_COLUMNS " FROM job WHERE project = ? AND id = ?");
  query.Text(key.project).Text(key.id);
  return ReadOne(connection, query);
}

absl::StatusOr<std::optional<JobRecord>> FindJobByOrder(SqliteConnection& connection, int64_t order) {
  SqliteQuery query(connection, "SELECT " LATHE_JOB_COLUMNS " FROM job WHERE ord = ?");
  query.Int(order);
  return ReadOne(connection, query);
}

absl::StatusOr<std::vector<JobRecord>> ListJobs(SqliteConnection& connection, const JobFilter& filter, int limit,
                                                int64_t cursor) {
  int64_t states = filter.states.empty() ? ~int64_t{0} : 0;
  for (JobState state : filter.states) states |= StateBit(state);
  SqliteQuery query(connection, "SELECT " LATHE_JOB_COLUMNS
                                " FROM job WHERE project = ? AND ord < ? AND ((1 << state) & ?) != 0"
                                " ORDER BY ord DESC LIMIT ?");
  query.Text(filter.project).Int(cursor == 0 ? INT64_MAX : cursor).Int(states).Int(limit);
  std::vector<JobRecord> jobs;
  while (true) {
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return jobs;
    jobs.push_back(ReadRow(query));
    LATHE_RETURN_IF_ERROR(ReadInputs(connection, jobs.back()));
  }
}

absl::StatusOr<int64_t> InsertJobRow(SqliteConnection& connection, const NewJob& job, const JobKey& key,
                                     const std::string& uid, int64_t now_micros) {
  int64_t order = 0;
  {
    SqliteQuery query(connection,
                      "INSERT INTO job (project, id, uid, kind, preset, spec, state, labels, priority, max_attempts, "
                      "create_time, deadline, retry_of, request_id, request_hash, last_sequence) "
                      "VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING ord");
    query.Text(key.project).Text(key.id).Text(uid).Text(job.kind).Text(job.preset).Blob(job.spec);
    query.Blob(EncodeLabels(job.labels)).Int(job.priority).Int(job.max_attempts).Int(now_micros);
    query.IntOrNull(job.deadline_micros).Text(job.retry_of).TextOrNull(job.request_id).Text(job.request_hash);
    LATHE_RETURN_IF_ERROR(query.Step().status());
    order = query.GetInt(0);
    LATHE_RETURN_IF_ERROR(query.Run());
  }
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    SqliteQuery query(connection, "INSERT INTO job_input (job, position, project, sha256) VALUES (?, ?, ?, ?)");
    LATHE_RETURN_IF_ERROR(query.Int(order).Int(static_cast<int64_t>(i)).Text(key.project).Text(job.inputs[i]).Run());
  }
  LATHE_RETURN_IF_ERROR(InsertEvent(connection, order, 1, now_micros, JobState::kQueued, 0, ""));
  return order;
}

absl::StatusOr<std::optional<Transitioned>> ApplyTransition(SqliteConnection& connection, const JobKey& key,
                                                            int64_t from, int64_t token,
                                                            const JobTransition& transition, int64_t now_micros) {
  int64_t order = 0, sequence = 0, attempt = 0;
  JobEnd end{.key = key, .kind = "", .preset = "", .state = transition.to, .reason = transition.error.reason};
  {
    SqliteQuery query(connection,
                      "UPDATE job SET state = ?, result = ?, error_code = ?, error_reason = ?, error_message = ?, "
                      "error_details = ?, cancel_requested = max(cancel_requested, ?), attempt = attempt + ?, "
                      "finish_time = ?, run_after = ?, version = version + 1, last_sequence = last_sequence + 1 "
                      "WHERE project = ? AND id = ? AND ((1 << state) & ?) != 0 AND (? < 0 OR token = ?) "
                      "RETURNING ord, last_sequence, attempt, kind, preset");
    query.Int(static_cast<int64_t>(transition.to)).Blob(transition.result);
    query.Int(static_cast<int64_t>(transition.error.code)).Text(transition.error.reason);
    query.Text(transition.error.message).Blob(transition.error.details).Int(transition.request_cancel ? 1 : 0);
    query.Int(transition.attempt_change).IntOrNull(IsTerminal(transition.to) ? now_micros : 0);
    query.Int(transition.run_after_micros);
    query.Text(key.project).Text(key.id).Int(from).Int(token).Int(token);
    LATHE_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return std::nullopt;
    order = query.GetInt(0);
    sequence = query.GetInt(1);
    attempt = query.GetInt(2);
    end.kind = query.GetText(3);
    end.preset = query.GetText(4);
    LATHE_RETURN_IF_ERROR(query.Run());
  }
  LATHE_RETURN_IF_ERROR(InsertEvent(connection, order, sequence, now_micros, transition.to, attempt, ""));
  Transitioned done{.change = {.key = key, .state = transition.to, .last_sequence = sequence}, .end = std::nullopt};
  if (IsTerminal(transition.to)) done.end = std::move(end);
  return done;
}

absl::Status InsertEvent(SqliteConnection& connection, int64_t order, int64_t sequence, int64_t now_micros,
                         JobState state, int64_t attempt, const std::string& progress) {
  SqliteQuery query(connection,
                    "INSERT INTO job_event (job, sequence, time, state, attempt, progress) VALUES (?, ?, ?, ?, ?, ?)");
  return query.Int(order)
      .Int(sequence)
      .Int(now_micros)
      .Int(static_cast<int64_t>(state))
      .Int(attempt)
      .Blob(progress)
      .Run();
}

absl::StatusOr<int64_t> CountJobs(SqliteConnection& connection, JobState state) {
  // Literal states, so that the partial indexes are used.
  const char* sql = "SELECT count(*) FROM job WHERE state = 1";
  if (state == JobState::kRunning) sql = "SELECT count(*) FROM job WHERE state IN (2, 3)";
  SqliteQuery query(connection, sql);
  LATHE_RETURN_IF_ERROR(query.Step().status());
  return query.GetInt(0);
}

}  // namespace lathe
