#include "server/job_conversion.h"

#include <string>

#include "absl/strings/escaping.h"
#include "optimizer/recipe/validate.h"
#include "server/limits.h"
#include "server/names.h"
#include "server/rpc_status.h"
#include "wire/recipe.h"
#include "wire/status.h"

namespace lathe {
namespace {

absl::Status BadRow(const JobRecord& record, const char* what) {
  return MakeError(absl::StatusCode::kInternal, "BAD_ROW",
                   absl::StrFormat("the stored %s of job %s cannot be read; was it written by a newer version?", what,
                                   record.key.id));
}

void ErrorToProto(const JobError& error, google::rpc::Status* proto) {
  // `details` is a whole google.rpc.Status when the attempt's error had more than a reason and a message.
  if (!error.details.empty() && proto->ParseFromString(error.details) &&
      proto->code() == static_cast<int>(error.code)) {
    return;
  }
  constexpr size_t kBytesMax = 256 << 10;
  *proto = RpcFromStatus(WithCleanTexts(MakeError(error.code, error.reason, error.message), kBytesMax, kBytesMax),
                         ErrorRoom::kJob);
}

}  // namespace

void SetTimestamp(int64_t micros, google::protobuf::Timestamp* timestamp) {
  timestamp->set_seconds(micros / 1'000'000);
  timestamp->set_nanos(static_cast<int32_t>(micros % 1'000'000) * 1000);
}

absl::Status JobToProto(const JobRecord& record, JobView view, v1::Job* job) {
  job->set_name(JobName(record.key));
  job->set_state(static_cast<v1::Job::State>(record.state));  // same numbers; a test compares them
  if (!job->mutable_spec()->ParseFromString(record.spec)) return BadRow(record, "spec");
  if (!record.progress.empty() && !job->mutable_progress()->ParseFromString(record.progress)) {
    return BadRow(record, "progress");
  }
  if (!record.result.empty() && !job->mutable_result()->ParseFromString(record.result)) return BadRow(record, "result");
  if (view == JobView::kList && job->has_result()) job->mutable_result()->mutable_report()->clear_operators();
  if (record.error.code != absl::StatusCode::kOk) ErrorToProto(record.error, job->mutable_error());
  SetTimestamp(record.create_time_micros, job->mutable_create_time());
  if (record.start_time_micros != 0) SetTimestamp(record.start_time_micros, job->mutable_start_time());
  if (record.finish_time_micros != 0) SetTimestamp(record.finish_time_micros, job->mutable_finish_time());
  if (job->spec().has_optimize()) {
    // It was valid when the job was submitted; a later version may see it otherwise, which is no reason to hide the
    // job.
    const auto resolved = ResolveRecipe(RecipeFromProto(job->spec().optimize().recipe()), "spec.optimize.recipe");
    if (resolved.ok()) *job->mutable_resolved_recipe() = RecipeToProto(*resolved);
  }
  job->set_attempt(static_cast<uint32_t>(record.attempt));
  job->set_max_attempts(static_cast<uint32_t>(record.max_attempts));
  job->set_cancel_requested(record.cancel_requested);
  for (const auto& [key, value] : record.labels) (*job->mutable_labels())[key] = value;
  if (!record.retry_of.empty()) job->set_retry_of(JobName({record.key.project, record.retry_of}));
  job->set_etag(absl::StrFormat("%s.%d", record.uid, record.version));
  job->set_sequence(static_cast<uint64_t>(record.last_sequence));
  job->set_worker(record.worker);
  return absl::OkStatus();
}

void EventToProto(const JobEvent& event, v1::JobEvent* proto) {
  proto->set_sequence(static_cast<uint64_t>(event.sequence));
  SetTimestamp(event.time_micros, proto->mutable_time());
  if (event.progress.empty()) {
    proto->mutable_state_change()->set_state(static_cast<v1::Job::State>(event.state));
  } else if (!proto->mutable_progress()->ParseFromString(event.progress)) {
    proto->mutable_progress();  // written by a newer version: the event stays, its content is unknown here
  }
}

void ArtifactToProto(const ArtifactRecord& record, v1::Artifact* artifact) {
  artifact->set_name(ArtifactName(record.project, record.sha256));
  artifact->set_sha256(absl::HexStringToBytes(record.sha256));
  artifact->set_size_bytes(record.size_bytes);
  artifact->set_kind(static_cast<v1::Artifact::Kind>(record.kind));
  artifact->set_media_type(record.media_type);
  artifact->set_state(v1::Artifact::ACTIVE);
  SetTimestamp(record.create_time_micros, artifact->mutable_create_time());
  if (!record.producer_job.empty()) artifact->set_producer_job(JobName({record.project, record.producer_job}));
  for (const auto& [key, value] : record.labels) (*artifact->mutable_labels())[key] = value;
}

void UploadToProto(const UploadRecord& record, uint64_t committed_bytes, v1::Upload* upload) {
  upload->set_name(UploadName(record.project, record.id));
  upload->set_expected_sha256(absl::HexStringToBytes(record.sha256));
  upload->set_expected_size_bytes(record.size_bytes);
  upload->set_kind(static_cast<v1::Artifact::Kind>(record.kind));
  upload->set_committed_size_bytes(committed_bytes);
  switch (record.state) {
    case UploadState::kOpen:
      upload->set_state(v1::Upload::OPEN);
      break;
    case UploadState::kCommitted:
      upload->set_state(v1::Upload::COMMITTED);
      break;
    case UploadState::kFailed:
      upload->set_state(v1::Upload::FAILED);
      break;
  }
  SetTimestamp(record.expire_time_micros, upload->mutable_expire_time());
}

}  // namespace lathe
