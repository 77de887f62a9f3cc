#ifndef LATHE_SERVER_JOB_SERVICE_H_
#define LATHE_SERVER_JOB_SERVICE_H_

#include "lathe/v1/job_service.grpc.pb.h"
#include "server/edge.h"
#include "server/job_request.h"
#include "storage/artifacts.h"
#include "storage/job_store.h"

namespace lathe {

// lathe.v1.JobService over the job store. The .proto file is the contract.
class JobServiceImpl final : public v1::JobService::CallbackService {
 public:
  JobServiceImpl(Edge& edge, JobStore& jobs, Artifacts& artifacts) : edge_(edge), jobs_(jobs), artifacts_(artifacts) {}

  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context, const v1::SubmitJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
                                   v1::Job* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context, const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(grpc::CallbackServerContext* context,
                                                   const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* RetryJob(grpc::CallbackServerContext* context, const v1::RetryJobRequest* request,
                                     v1::Job* response) override;
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext* context, const v1::DeleteJobRequest* request,
                                      google::protobuf::Empty* response) override;

 private:
  absl::Status Submit(const v1::SubmitJobRequest& request, v1::Job* response);
  absl::Status List(const v1::ListJobsRequest& request, v1::ListJobsResponse* response);
  absl::Status Insert(const JobRequest& request, v1::Job* response);
  absl::Status CheckArtifacts(const JobRequest& request);

  Edge& edge_;
  JobStore& jobs_;
  Artifacts& artifacts_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_JOB_SERVICE_H_
