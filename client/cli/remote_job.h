#ifndef LATHE_CLIENT_CLI_REMOTE_JOB_H_
#define LATHE_CLIENT_CLI_REMOTE_JOB_H_

// Jobs on a server, as optimize, benchmark and the jobs commands need them.

#include <optional>
#include <string>

#include "client/cli/commands.h"
#include "client/cpp/client.h"

namespace lathe {

// projects/default/jobs/NAME unless `name` is a whole name already; likewise for artifacts, named by SHA-256.
std::string JobName(const std::string& name);
std::string ArtifactName(const std::string& name);

// Uploads the file `path` with a progress bar; Ctrl-C stops it. Returns the artifact's name. Something that is no file
// here but looks like an artifact's name is taken as one.
absl::StatusOr<std::string> UploadInput(Client& client, const std::string& what, const std::string& path,
                                        v1::Artifact::Kind kind);

// Checks the recipe, uploads model and data, and puts together what to submit. `runs` and `against` are for benchmarks.
absl::StatusOr<v1::JobSpec> MakeOptimizeSpec(Client& client, const std::string& model, const RecipeOptions& options);
absl::StatusOr<v1::JobSpec> MakeBenchmarkSpec(Client& client, const BenchmarkOptions& options);
absl::StatusOr<v1::JobSpec> MakeEvaluateSpec(Client& client, const EvaluateOptions& options);

// A request id of 128 random bits.
std::string MakeRequestId();

// What Ctrl-C does while a job is followed: cancel the job and wait for its end, or leave it alone.
enum class OnInterrupt { kCancelJob, kDetach };

// Follows a job to its end. kDetach: CANCELLED DETACHED after Ctrl-C. Shows progress if asked to.
absl::StatusOr<v1::Job> FollowJob(Client& client, const std::string& name, OnInterrupt on_interrupt,
                                  bool show_progress);

// Submits, follows (Ctrl-C cancels), and returns the job if it SUCCEEDED, or FAILED with a result (reason
// GATE_NOT_MET); its error otherwise.
absl::StatusOr<v1::Job> RunRemotely(Client& client, const v1::JobSpec& spec);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_REMOTE_JOB_H_
