#ifndef LATHE_WORKER_OUTCOME_H_
#define LATHE_WORKER_OUTCOME_H_

#include <chrono>

#include "common/status.h"
#include "storage/job_store.h"

namespace lathe {

// An error as a job keeps it; `details` is a serialized google.rpc.Status.
JobError JobErrorFrom(const absl::Status& status);

// What becomes of a job after an attempt that failed.
struct Verdict {
  enum class Kind {
    kFinish,   // Complete with `outcome`
    kRetry,    // Release(kRetry)
    kGiveBack  // Release(kDrained)
  };
  Kind kind = Kind::kFinish;
  JobOutcome outcome = {};
};

struct AttemptCircumstances {
  bool drained = false;          // the worker ended the attempt because it stops
  bool deadline_passed = false;  // of the job
};

// The rules: a crash of the executor and a store that is away may not repeat, so they are tried again while attempts
// are left; everything else is the job's own and final. REQUIRES: !error.ok().
Verdict Judge(const JobRecord& job, const absl::Status& error, const AttemptCircumstances& circumstances);

// How long a job waits after its failed attempt number `attempt` (from 1): `base`, doubled for each attempt before, at
// most 15 minutes; `jitter` (-1..1) moves that by up to a fifth.
std::chrono::milliseconds RetryDelay(std::chrono::milliseconds base, int attempt, double jitter);

}  // namespace lathe

#endif  // LATHE_WORKER_OUTCOME_H_
