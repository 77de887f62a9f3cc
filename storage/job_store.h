#ifndef LATHE_STORAGE_JOB_STORE_H_
#define LATHE_STORAGE_JOB_STORE_H_

// The queue and the state of every job. Specs, results, progress and error details are bytes to the store: it reads
// nothing in them.
//
//   QUEUED -> RUNNING -> SUCCEEDED | FAILED | CANCELLED | EXPIRED      RUNNING -> QUEUED (released, or the server died)
//   QUEUED -> CANCELLED | EXPIRED      RUNNING -> CANCELLING -> CANCELLED | SUCCEEDED | FAILED
//
// Terminal states are final. Each change of state is one transaction that also appends the job's next event. What a
// call answered is durable: it survives kill -9 and power loss.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace lathe {

enum class JobState {
  kQueued = 1,
  kRunning = 2,
  kCancelling = 3,
  kSucceeded = 4,
  kFailed = 5,
  kCancelled = 6,
  kExpired = 7
};

inline bool IsTerminal(JobState state) { return state >= JobState::kSucceeded; }
// "QUEUED", "RUNNING", ...
const char* JobStateName(JobState state);

using Labels = std::vector<std::pair<std::string, std::string>>;

struct JobKey {
  std::string project, id;
  auto operator<=>(const JobKey&) const = default;
};

// Why a job is FAILED, CANCELLED or EXPIRED. `details` is opaque (violations, serialized by whoever writes it).
struct JobError {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string reason, message, details;
};

// What a client gives. `id` is "" to let the store make one ("j-" and a time-ordered id).
struct NewJob {
  std::string project, id;
  std::string kind;    // optimize, benchmark, evaluate
  std::string preset;  // for filters and metrics; "" if none
  std::string spec;
  Labels labels;
  int priority = 0;  // higher first
  int max_attempts = 3;
  int64_t deadline_micros = 0;      // wall clock; a job not finished by then is EXPIRED; 0: none
  std::string retry_of;             // id of the job that this one repeats, or ""
  std::vector<std::string> inputs;  // digests (hex) of artifacts that must stay while the job is not finished
  // Same request_id and request_hash: the same submission, sent again. "" turns deduplication off.
  std::string request_id, request_hash;
};

struct JobRecord {
  JobKey key;
  std::string uid;  // unique over all time, also when an id is used again after DeleteJob
  std::string kind, preset, spec;
  JobState state = JobState::kQueued;
  std::string result;    // SUCCEEDED only (FAILED may hold one: the candidate of an unmet gate)
  JobError error;        // code is kOk unless FAILED, CANCELLED or EXPIRED
  std::string progress;  // the last one given
  Labels labels;
  int priority = 0;
  int attempt = 0;  // 0 before the first claim
  int max_attempts = 3;
  bool cancel_requested = false;
  std::string worker;  // of the last claim
  int64_t token = 0;   // fencing token of the last claim; grows with every claim of any job
  int64_t create_time_micros = 0;
  int64_t start_time_micros = 0;   // of the last claim; 0: never claimed
  int64_t finish_time_micros = 0;  // 0: not terminal
  int64_t deadline_micros = 0;     // 0: none
  std::string retry_of;
  std::vector<std::string> inputs;
  int64_t version = 0;        // grows with every change; the etag
  int64_t last_sequence = 0;  // of the job's events
  int64_t order = 0;          // creation order; the cursor of List
};

// One step in the life of a job. Sequences of a job are 1, 2, 3, ... without gaps.
struct JobEvent {
  int64_t sequence = 0;
  int64_t time_micros = 0;
  JobState state = JobState::kQueued;  // after the event
  int attempt = 0;
  std::string progress;  // "" for a change of state
};

// What a subscriber is told: the job's condition after the commit.
struct JobChange {
  JobKey key;
  JobState state = JobState::kQueued;
  int64_t last_sequence = 0;
  bool deleted = false;
};

// How a job ended, for counting.
struct JobEnd {
  JobKey key;
  std::string kind, preset;
  JobState state = JobState::kSucceeded;
  std::string reason;  // of the error; "" for success
};

struct JobFilter {
  std::string project;
  std::vector<JobState> states;  // empty: all
};

struct JobPage {
  std::vector<JobRecord> jobs;  // newest first
  int64_t next_cursor = 0;      // 0: no more
};

// How an attempt ended.
struct JobOutcome {
  JobState state = JobState::kSucceeded;  // terminal
  std::string result;
  JobError error;
};

enum class ReleaseReason {
  kDrained,  // the worker stops: the attempt does not count
  kRetry,    // the attempt failed in a way that may not repeat: it counts
};

struct JobCounts {
  int64_t queued = 0;
  int64_t running = 0;  // RUNNING and CANCELLING
};

// Thread-safe. Every call may fail with UNAVAILABLE STORAGE_UNAVAILABLE (the database cannot be used) or
// RESOURCE_EXHAUSTED DISK_LOW (it is full); nothing was changed then. "NotFound" below is NOT_FOUND JOB_NOT_FOUND.
class JobStore {
 public:
  virtual ~JobStore() = default;

  struct Inserted {
    JobRecord job;
    bool existing = false;  // the job of an earlier call with the same request_id, as it is now
  };
  // Makes the job and, in the same transaction, finds a repeated request.
  // ALREADY_EXISTS REQUEST_ID_REUSED: the request_id came before with another hash. ALREADY_EXISTS JOB_EXISTS: the id
  // is taken. NOT_FOUND ARTIFACT_NOT_FOUND: an input is no artifact of the project. RESOURCE_EXHAUSTED QUEUE_FULL:
  // `queued_max` jobs are queued. A repeated request is answered also when the queue is full.
  virtual absl::StatusOr<Inserted> Insert(const NewJob& job, int64_t queued_max) = 0;

  virtual absl::StatusOr<JobRecord> Get(const JobKey& key) = 0;

  // Jobs created before `cursor` (0: from the newest). REQUIRES: 0 < page_size.
  virtual absl::StatusOr<JobPage> List(const JobFilter& filter, int page_size, int64_t cursor) = 0;

  // Takes up to `n` queued jobs of any project, highest priority first, then oldest; those that wait out the delay of a
  // Release are passed over. Each gets a new token, attempt + 1 and is RUNNING. Empty: nothing is there to run.
  virtual absl::StatusOr<std::vector<JobRecord>> Claim(const std::string& worker, int n) = 0;

  // The three writes of a claim's holder. ABORTED LEASE_LOST: the token is not that of the job's present attempt (it
  // was released, finished, claimed again or deleted); the holder must stop and throw its work away. Returns true when
  // the job should be cancelled.
  virtual absl::StatusOr<bool> UpdateProgress(const JobKey& key, int64_t token, const std::string& progress) = 0;
  // REQUIRES: IsTerminal(outcome.state).
  virtual absl::Status Complete(const JobKey& key, int64_t token, const JobOutcome& outcome) = 0;
  // Back to QUEUED; to CANCELLED if that was asked for meanwhile. Claim hands the job out again after `delay`; nobody
  // is told when it is over: whoever claims looks again every second or so.
  virtual absl::Status Release(const JobKey& key, int64_t token, ReleaseReason reason,
                               std::chrono::milliseconds delay = std::chrono::milliseconds(0)) = 0;

  // QUEUED becomes CANCELLED at once, RUNNING becomes CANCELLING; otherwise nothing changes. The job afterwards.
  virtual absl::StatusOr<JobRecord> Cancel(const JobKey& key) = 0;

  // Removes a terminal job and its events. FAILED_PRECONDITION JOB_NOT_FINISHED otherwise; NotFound.
  virtual absl::Status Delete(const JobKey& key) = 0;

  // Up to `limit` events with a sequence above `after_sequence`, in order. NotFound.
  virtual absl::StatusOr<std::vector<JobEvent>> Events(const JobKey& key, int64_t after_sequence, int limit) = 0;

  // For a store that only one server uses, before any Claim: what was running when that server died goes back to QUEUED
  // (its next claim counts a further attempt), to FAILED (INTERNAL POISON) when no attempt is left, to CANCELLED when
  // that was asked for.
  struct Requeued {
    int64_t queued = 0, poisoned = 0, cancelled = 0;
  };
  virtual absl::StatusOr<Requeued> RequeueRunning() = 0;

  // QUEUED jobs whose deadline has passed become EXPIRED (DEADLINE_EXCEEDED EXPIRED). Returns how many. Claim never
  // hands out such a job. Whoever runs a job watches its deadline itself.
  virtual absl::StatusOr<int64_t> ExpireQueued() = 0;

  virtual absl::StatusOr<JobCounts> Counts() = 0;

  // Calls `callback` after every commit that changed the job (also after its deletion), from a thread of the store. The
  // callback must be quick: set a flag, post to another thread. It must call neither the store nor Unsubscribe.
  // Subscribe first, then read: no change is lost then. The job need not exist.
  virtual uint64_t Subscribe(const JobKey& key, std::function<void(const JobChange&)> callback) = 0;
  // Likewise whenever a job became QUEUED.
  virtual uint64_t SubscribeQueue(std::function<void()> callback) = 0;
  // Likewise exactly once for each job that a call to this object brought to a terminal state, whichever call that was.
  virtual uint64_t SubscribeEnds(std::function<void(const JobEnd&)> callback) = 0;
  // After the return the callback is not running and never called again. Takes ids of all three; unknown ones do
  // nothing.
  virtual void Unsubscribe(uint64_t subscription) = 0;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_JOB_STORE_H_
