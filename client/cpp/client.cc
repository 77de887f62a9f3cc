#include "client/cpp/client.h"

#include <algorithm>
#include <utility>

#include "client/cpp/stubs.h"
#include "google/rpc/status.pb.h"
#include "wire/status.h"

namespace lathe {
namespace {

constexpr std::chrono::seconds kConnectDeadline{5};
// A server sends something at least every 20 s while a job is watched; a vanished one is noticed by these pings.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr std::chrono::milliseconds kCancelPoll{50};
// A refused connection is tried again so long: the server may be just starting.
constexpr std::chrono::seconds kRefusedPatience{1};

// False: refused for kRefusedPatience, or no answer within kConnectDeadline.
bool WaitForConnection(grpc::Channel& channel) {
  const auto start = std::chrono::system_clock::now();
  auto deadline = start + kConnectDeadline;
  grpc_connectivity_state state = channel.GetState(true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) deadline = std::min(deadline, start + kRefusedPatience);
    if (!channel.WaitForStateChange(state, deadline)) return false;
    state = channel.GetState(true);
  }
  return true;
}

}  // namespace

absl::Status Client::Stubs::Convert(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()) && details.code() != 0) {
    return StatusFromRpc(details);
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return MakeError(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                     absl::StrFormat("cannot reach the server at %s: %s", address, status.error_message()));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

bool RetryPace::Retry(const absl::Status& status, const CancelToken& cancel) {
  if (!(absl::IsUnavailable(status) || absl::IsAborted(status)) || cancel.IsCancelled()) return false;
  if (std::chrono::steady_clock::now() > deadline_) return false;
  const auto until = std::chrono::steady_clock::now() + pause_;
  while (std::chrono::steady_clock::now() < until) {
    if (cancel.IsCancelled()) return false;
    std::this_thread::sleep_for(kCancelPoll);
  }
  pause_ = std::min<std::chrono::milliseconds>(pause_ * 2, std::chrono::seconds(2));
  return true;
}

void RetryPace::Succeeded() { *this = RetryPace(); }

StreamCanceller::StreamCanceller(grpc::ClientContext* context, const CancelToken& cancel)
    : thread_([context, cancel](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          if (cancel.IsCancelled()) return context->TryCancel();
          std::this_thread::sleep_for(kCancelPoll);
        }
      }) {}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  auto stubs = std::make_unique<Stubs>();
  stubs->address = address;
  stubs->channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!WaitForConnection(*stubs->channel)) {
    return MakeError(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                     absl::StrFormat("cannot reach a server at '%s': is lathe-server running there, and is the address "
                                     "HOST:PORT?",
                                     address));
  }
  stubs->jobs = v1::JobService::NewStub(stubs->channel);
  stubs->artifacts = v1::ArtifactService::NewStub(stubs->channel);
  stubs->models = v1::ModelService::NewStub(stubs->channel);
  stubs->catalog = v1::CatalogService::NewStub(stubs->channel);
  return std::unique_ptr<Client>(new Client(std::move(stubs)));
}

Client::Client(std::unique_ptr<Stubs> stubs) : stubs_(std::move(stubs)) {}
Client::~Client() = default;

absl::StatusOr<v1::Artifact> Client::StatArtifact(const std::string& name) {
  v1::StatArtifactRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->artifacts, &v1::ArtifactService::Stub::StatArtifact, request);
}

absl::StatusOr<v1::ListArtifactsResponse> Client::ListArtifacts(const v1::ListArtifactsRequest& request) {
  return stubs_->Call(*stubs_->artifacts, &v1::ArtifactService::Stub::ListArtifacts, request);
}

absl::Status Client::DeleteArtifact(const std::string& name) {
  v1::DeleteArtifactRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->artifacts, &v1::ArtifactService::Stub::DeleteArtifact, request).status();
}

absl::StatusOr<v1::Job> Client::SubmitJob(const v1::SubmitJobRequest& request) {
  RetryPace pace;
  while (true) {
    auto job = stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::SubmitJob, request);
    if (job.ok() || request.request_id().empty() || !pace.Retry(job.status(), CancelToken())) return job;
  }
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::GetJob, request);
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(const v1::ListJobsRequest& request) {
  return stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::ListJobs, request);
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& name) {
  v1::CancelJobRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::CancelJob, request);
}

absl::StatusOr<v1::Job> Client::RetryJob(const std::string& name) {
  v1::RetryJobRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::RetryJob, request);
}

absl::Status Client::DeleteJob(const std::string& name) {
  v1::DeleteJobRequest request;
  request.set_name(name);
  return stubs_->Call(*stubs_->jobs, &v1::JobService::Stub::DeleteJob, request).status();
}

absl::StatusOr<v1::Job> Client::WatchJob(const std::string& name,
                                         const std::function<void(const v1::JobEvent&)>& on_event,
                                         const CancelToken& stop) {
  v1::WatchJobRequest request;
  request.set_name(name);
  RetryPace pace;
  while (true) {
    grpc::ClientContext context;
    const StreamCanceller canceller(&context, stop);
    const auto stream = stubs_->jobs->WatchJob(&context, request);
    v1::JobEvent event;
    while (stream->Read(&event)) {
      pace.Succeeded();
      request.set_after_sequence(std::max(request.after_sequence(), event.sequence()));
      if (on_event) on_event(event);
    }
    const absl::Status status = stubs_->Convert(stream->Finish());
    if (stop.IsCancelled()) return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the watch was stopped");
    if (status.ok()) return GetJob(name);
    if (!pace.Retry(status, stop)) return status;
  }
}

absl::StatusOr<v1::ModelSummary> Client::InspectModel(const std::string& artifact, v1::Recipe::Target target) {
  v1::InspectModelRequest request;
  request.set_target(target);
  request.set_model(artifact);
  LATHE_ASSIGN_OR_RETURN(v1::InspectModelResponse response,
                         stubs_->Call(*stubs_->models, &v1::ModelService::Stub::InspectModel, request));
  return response.summary();
}

absl::StatusOr<v1::RecommendRecipeResponse> Client::RecommendRecipe(const v1::RecommendRecipeRequest& request) {
  return stubs_->Call(*stubs_->models, &v1::ModelService::Stub::RecommendRecipe, request);
}

absl::StatusOr<v1::PlanRecipeResponse> Client::PlanRecipe(const v1::PlanRecipeRequest& request) {
  return stubs_->Call(*stubs_->models, &v1::ModelService::Stub::PlanRecipe, request);
}

absl::StatusOr<v1::Comparison> Client::CompareModels(const v1::CompareModelsRequest& request) {
  LATHE_ASSIGN_OR_RETURN(v1::CompareModelsResponse response,
                         stubs_->Call(*stubs_->models, &v1::ModelService::Stub::CompareModels, request));
  return std::move(*response.mutable_comparison());
}

absl::StatusOr<v1::ListPassesResponse> Client::ListPasses() {
  const v1::ListPassesRequest request;
  return stubs_->Call(*stubs_->catalog, &v1::CatalogService::Stub::ListPasses, request);
}

absl::StatusOr<v1::Capabilities> Client::GetCapabilities() {
  const v1::GetCapabilitiesRequest request;
  return stubs_->Call(*stubs_->catalog, &v1::CatalogService::Stub::GetCapabilities, request);
}

absl::Status StatusOfJob(const v1::Job& job) {
  if (job.state() == v1::Job::SUCCEEDED) return absl::OkStatus();
  const absl::Status error = StatusFromRpc(job.error());
  if (!error.ok()) return error;
  if (job.state() == v1::Job::CANCELLED) {
    return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the job was cancelled");
  }
  return MakeError(absl::StatusCode::kUnknown, "JOB_" + v1::Job::State_Name(job.state()),
                   absl::StrFormat("job %s is %s", job.name(), v1::Job::State_Name(job.state())));
}

bool HasEnded(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::EXPIRED;
}

}  // namespace lathe
