#ifndef LATHE_CLIENT_CPP_CLIENT_H_
#define LATHE_CLIENT_CPP_CLIENT_H_

// A Lathe server, seen from a C++ program. Every call of the API has one method here; uploads, downloads and watches
// also resume by themselves. For anything else use the generated stubs (lathe::proto_grpc) beside it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/cancel.h"
#include "common/status.h"
#include "lathe/v1/artifact.pb.h"
#include "lathe/v1/job.pb.h"
#include "lathe/v1/model.pb.h"
#include "lathe/v1/model_service.pb.h"
#include "lathe/v1/recipe.pb.h"

namespace lathe {

namespace v1 {
class SubmitJobRequest;
class ListJobsRequest;
class ListJobsResponse;
class ListArtifactsRequest;
class ListArtifactsResponse;
class ListPassesResponse;
class CompareModelsRequest;
class Comparison;
class Capabilities;
}  // namespace v1

// Bytes done and bytes in all.
using TransferProgress = std::function<void(uint64_t done, uint64_t total)>;

// Errors of all methods: the server's, with its reason (ReasonOf) and violations; UNAVAILABLE SERVER_UNREACHABLE when
// it cannot be reached, also after retries; CANCELLED when `cancel` was set. Unary calls end after 30 s. Thread-safe.
class Client {
 public:
  // `address` is HOST:PORT, without TLS. UNAVAILABLE SERVER_UNREACHABLE after 5 s
  // without an answer, or 1 s of refused connections.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const std::string& address);
  ~Client();

  // Uploads a file unless the server has its bytes already; goes on where it stopped after lost connections. Errors of
  // the file name `path`. INVALID_ARGUMENT EMPTY_FILE.
  absl::StatusOr<v1::Artifact> UploadFile(const std::string& path, v1::Artifact::Kind kind, const CancelToken& cancel,
                                          const TransferProgress& on_progress = {});
  // Writes an artifact beside `path`, compares its SHA-256 with the server's and renames it: `path` holds what it held
  // before, or the whole artifact. DATA_LOSS DIGEST_MISMATCH.
  absl::Status DownloadFile(const std::string& artifact, const std::string& path, const CancelToken& cancel,
                            const TransferProgress& on_progress = {});

  absl::StatusOr<v1::Artifact> StatArtifact(const std::string& name);
  absl::StatusOr<v1::ListArtifactsResponse> ListArtifacts(const v1::ListArtifactsRequest& request);
  absl::Status DeleteArtifact(const std::string& name);

  // Give the request a request_id to make retries safe: then lost connections are retried here.
  absl::StatusOr<v1::Job> SubmitJob(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> CancelJob(const std::string& name);
  absl::StatusOr<v1::Job> RetryJob(const std::string& name);
  absl::Status DeleteJob(const std::string& name);
  // Follows a job to its end and returns it as it is then, whatever its state. `on_event` gets every event once, in
  // order, from this thread; after lost connections and restarts of the server the watch goes on behind the last one.
  // `stop` only ends the watch (CANCELLED); the job goes on.
  absl::StatusOr<v1::Job> WatchJob(const std::string& name, const std::function<void(const v1::JobEvent&)>& on_event,
                                   const CancelToken& stop);

  // With a target its operator table, else a summary of every target.
  absl::StatusOr<v1::ModelSummary> InspectModel(const std::string& artifact,
                                                v1::Recipe::Target target = v1::Recipe::TARGET_UNSPECIFIED);
  absl::StatusOr<v1::RecommendRecipeResponse> RecommendRecipe(const v1::RecommendRecipeRequest& request);
  absl::StatusOr<v1::PlanRecipeResponse> PlanRecipe(const v1::PlanRecipeRequest& request);
  // DEADLINE_EXCEEDED TIME_BUDGET: it takes longer than the server spends on a question.
  absl::StatusOr<v1::Comparison> CompareModels(const v1::CompareModelsRequest& request);
  absl::StatusOr<v1::ListPassesResponse> ListPasses();
  absl::StatusOr<v1::Capabilities> GetCapabilities();

 private:
  struct Stubs;
  explicit Client(std::unique_ptr<Stubs> stubs);
  std::unique_ptr<Stubs> stubs_;
};

// A job that ended, as a status: OK when it SUCCEEDED, else its error.
absl::Status StatusOfJob(const v1::Job& job);

// True for SUCCEEDED, FAILED, CANCELLED, EXPIRED.
bool HasEnded(v1::Job::State state);

}  // namespace lathe

#endif  // LATHE_CLIENT_CPP_CLIENT_H_
