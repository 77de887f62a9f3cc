#ifndef LATHE_SERVER_JOB_REQUEST_H_
#define LATHE_SERVER_JOB_REQUEST_H_

#include <string>
#include <vector>

#include "common/status.h"
#include "lathe/v1/job_service.pb.h"
#include "storage/job_store.h"

namespace lathe {

// An artifact that a job needs, and the field that names it.
struct NeededArtifact {
  std::string field, name, sha256;
  int kind = 0;  // lathe.v1.Artifact.Kind
};

// A valid request, ready for the store.
struct JobRequest {
  NewJob job;
  std::vector<NeededArtifact> needed;
};

// Checks a request and fills in and lowers the budgets. INVALID_ARGUMENT BAD_REQUEST: every bad field at once.
// UNIMPLEMENTED KIND_UNIMPLEMENTED: a kind of job that is declared only. NOT_FOUND PROJECT_NOT_FOUND.
// Knows nothing of what is stored: the artifacts may not exist.
absl::StatusOr<JobRequest> ParseJobRequest(const v1::SubmitJobRequest& request, int64_t now_micros);

// The same work again: a job with the stored spec of `record`, and as much time until its deadline.
absl::StatusOr<JobRequest> ParseRetry(const v1::RetryJobRequest& request, const JobRecord& record, int64_t now_micros);

}  // namespace lathe

#endif  // LATHE_SERVER_JOB_REQUEST_H_
