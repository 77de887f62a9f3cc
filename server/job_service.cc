#include "server/job_service.h"

#include <string>

#include "server/field_checks.h"
#include "server/job_conversion.h"
#include "server/limits.h"
#include "server/names.h"
#include "server/page_token.h"
#include "server/rpc_status.h"
#include "server/watch_stream.h"

namespace lathe {
namespace {

constexpr RpcName Rpc(std::string_view method) { return {"JobService", method}; }

}  // namespace

grpc::ServerUnaryReactor* JobServiceImpl::SubmitJob(grpc::CallbackServerContext* context,
                                                    const v1::SubmitJobRequest* request, v1::Job* response) {
  return edge_.Unary(context, Rpc("SubmitJob"), [=, this] { return Submit(*request, response); });
}

absl::Status JobServiceImpl::Submit(const v1::SubmitJobRequest& request, v1::Job* response) {
  LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
  LATHE_ASSIGN_OR_RETURN(const JobRequest parsed, ParseJobRequest(request, edge_.clock().NowMicros()));
  if (const absl::Status check = CheckArtifacts(parsed); !check.ok()) {
    // A repeated request is answered with its job although the inputs may be gone meanwhile; the store knows.
    const bool may_repeat = absl::IsNotFound(check) && !request.request_id().empty() && !request.validate_only();
    return may_repeat && Insert(parsed, response).ok() ? absl::OkStatus() : check;
  }
  if (!request.validate_only()) return Insert(parsed, response);
  JobRecord preview;
  preview.spec = parsed.job.spec;
  preview.labels = parsed.job.labels;
  preview.max_attempts = parsed.job.max_attempts;
  preview.create_time_micros = edge_.clock().NowMicros();
  LATHE_RETURN_IF_ERROR(JobToProto(preview, JobView::kFull, response));
  response->clear_name();
  response->clear_etag();
  return absl::OkStatus();
}

absl::Status JobServiceImpl::CheckArtifacts(const JobRequest& request) {
  for (const NeededArtifact& needed : request.needed) {
    const auto artifact = artifacts_.index().GetArtifact(request.job.project, needed.sha256);
    if (!artifact.ok()) return Annotate(artifact.status(), absl::StrFormat("%s '%s'", needed.field, needed.name));
    if (artifact->kind != needed.kind) {
      return MakeViolationsError(
          {{needed.field, absl::StrFormat("the artifact is of kind %s, not %s; upload it as such",
                                          v1::Artifact::Kind_Name(static_cast<v1::Artifact::Kind>(artifact->kind)),
                                          v1::Artifact::Kind_Name(static_cast<v1::Artifact::Kind>(needed.kind)))}});
    }
  }
  return absl::OkStatus();
}

absl::Status JobServiceImpl::Insert(const JobRequest& request, v1::Job* response) {
  LATHE_ASSIGN_OR_RETURN(const JobStore::Inserted inserted, jobs_.Insert(request.job, limits::kQueuedJobsMax));
  if (!inserted.existing) edge_.metrics().JobSubmitted(request.job.kind, request.job.preset);
  return JobToProto(inserted.job, JobView::kFull, response);
}

grpc::ServerUnaryReactor* JobServiceImpl::GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
                                                 v1::Job* response) {
  return edge_.Unary(context, Rpc("GetJob"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const JobKey key, ParseJobName(request->name()));
    LATHE_ASSIGN_OR_RETURN(const JobRecord record, jobs_.Get(key));
    return JobToProto(record, JobView::kFull, response);
  });
}

grpc::ServerUnaryReactor* JobServiceImpl::ListJobs(grpc::CallbackServerContext* context,
                                                   const v1::ListJobsRequest* request, v1::ListJobsResponse* response) {
  return edge_.Unary(context, Rpc("ListJobs"), [=, this] { return List(*request, response); });
}

absl::Status JobServiceImpl::List(const v1::ListJobsRequest& request, v1::ListJobsResponse* response) {
  JobFilter filter;
  LATHE_ASSIGN_OR_RETURN(filter.project, ParseParent(request.parent()));
  std::string filter_text = "jobs " + filter.project;
  for (int i = 0; i < request.states_size(); ++i) {
    const auto state = static_cast<v1::Job::State>(request.states(i));
    if (!v1::Job::State_IsValid(state) || state == v1::Job::STATE_UNSPECIFIED) {
      return MakeViolationsError(
          {{absl::StrFormat("states[%d]", i), absl::StrFormat("%d is not a state of jobs", state)}});
    }
    filter.states.push_back(static_cast<JobState>(state));
    filter_text += absl::StrFormat(" %d", state);
  }
  LATHE_ASSIGN_OR_RETURN(const int64_t cursor, ParsePageToken(request.page_token(), filter_text));
  LATHE_ASSIGN_OR_RETURN(const JobPage page, jobs_.List(filter, ClampPageSize(request.page_size()), cursor));
  int64_t next_cursor = page.next_cursor;
  size_t bytes = 0;
  for (size_t i = 0; i < page.jobs.size(); ++i) {
    LATHE_RETURN_IF_ERROR(JobToProto(page.jobs[i], JobView::kList, response->add_jobs()));
    bytes += response->jobs(response->jobs_size() - 1).ByteSizeLong();
    if (bytes <= limits::kPageBytesMax || i == 0) continue;
    response->mutable_jobs()->RemoveLast();
    next_cursor = page.jobs[i - 1].order;
    break;
  }
  response->set_next_page_token(MakePageToken(next_cursor, filter_text));
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::JobEvent>* JobServiceImpl::WatchJob(grpc::CallbackServerContext* /*context*/,
                                                                 const v1::WatchJobRequest* request) {
  return WatchStream::Start(edge_, jobs_, Rpc("WatchJob"), *request);
}

grpc::ServerUnaryReactor* JobServiceImpl::CancelJob(grpc::CallbackServerContext* context,
                                                    const v1::CancelJobRequest* request, v1::Job* response) {
  return edge_.Unary(context, Rpc("CancelJob"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const JobKey key, ParseJobName(request->name()));
    LATHE_ASSIGN_OR_RETURN(const JobRecord record, jobs_.Cancel(key));
    return JobToProto(record, JobView::kFull, response);
  });
}

grpc::ServerUnaryReactor* JobServiceImpl::RetryJob(grpc::CallbackServerContext* context,
                                                   const v1::RetryJobRequest* request, v1::Job* response) {
  return edge_.Unary(context, Rpc("RetryJob"), [=, this]() -> absl::Status {
    LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
    LATHE_ASSIGN_OR_RETURN(const JobKey key, ParseJobName(request->name()));
    LATHE_ASSIGN_OR_RETURN(const JobRecord record, jobs_.Get(key));
    LATHE_ASSIGN_OR_RETURN(const JobRequest retry, ParseRetry(*request, record, edge_.clock().NowMicros()));
    return Insert(retry, response);
  });
}

grpc::ServerUnaryReactor* JobServiceImpl::DeleteJob(grpc::CallbackServerContext* context,
                                                    const v1::DeleteJobRequest* request,
                                                    google::protobuf::Empty* /*response*/) {
  return edge_.Unary(context, Rpc("DeleteJob"), [=, this]() -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(const JobKey key, ParseJobName(request->name()));
    return jobs_.Delete(key);
  });
}

}  // namespace lathe
