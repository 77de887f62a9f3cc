#include "client/cli/remote_job.h"

#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "client/cli/job_inputs.h"
#include "client/cli/terminal.h"
#include "common/digest.h"
#include "lathe/v1/job_service.pb.h"

namespace lathe {
namespace {

constexpr char kProject[] = "projects/default/";

bool IsWholeName(const std::string& name) { return absl::StartsWith(name, "projects/"); }

// `flag` names the data file `path`, which may be "". Options are RecipeOptions or BenchmarkOptions.
template <typename Options>
absl::Status FillData(Client& client, const char* flag, const std::string& path, const Options& options,
                      v1::DatasetRef* data) {
  if (!path.empty()) {
    LATHE_ASSIGN_OR_RETURN(*data->mutable_artifact(), UploadInput(client, flag, path, v1::Artifact::DATASET));
  }
  data->set_seed(options.seed);
  data->set_sample_limit(options.data.samples);
  LATHE_ASSIGN_OR_RETURN(v1::Preprocessing preprocessing, MakePreprocessing(options.data));
  if (preprocessing.ByteSizeLong() > 0) *data->mutable_preprocessing() = std::move(preprocessing);
  if (!options.input_range.empty()) {
    LATHE_ASSIGN_OR_RETURN(const auto range, ParseInputRange(options.input_range));
    data->mutable_input_range()->set_low(range.first);
    data->mutable_input_range()->set_high(range.second);
  }
  return absl::OkStatus();
}

void ShowEvent(const v1::JobEvent& event, ProgressLine* line) {
  if (event.has_state_change()) {
    // The last fraction seen says nothing about a job that has ended; its answer follows at once.
    if (HasEnded(event.state_change().state())) return line->Clear();
    const std::string state = v1::Job::State_Name(event.state_change().state());
    line->Show(state, state, event.state_change().job().progress().fraction());
  }
  const v1::Progress& progress = event.progress();
  if (!event.has_progress()) return;
  std::string what = progress.phase();
  if (!progress.pass().empty()) what += " " + progress.pass();
  if (progress.samples_total() > 0) {
    what += absl::StrFormat(" %d/%d", progress.samples_done(), progress.samples_total());
  }
  line->Show(progress.phase() + progress.pass(), what, progress.fraction());
}

// Asks the server once to cancel the job when Ctrl-C comes; lives as long as the watch.
std::jthread CancelOnInterrupt(Client& client, const std::string& name) {
  return std::jthread([&client, name](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (InterruptToken().IsCancelled()) {
        Output::Note("cancelling the job; press Ctrl-C again to leave it alone");
        const absl::Status status = client.CancelJob(name).status();
        if (!status.ok()) Output::Note(absl::StrFormat("the job could not be cancelled: %s", status.message()));
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
}

}  // namespace

std::string JobName(const std::string& name) { return IsWholeName(name) ? name : kProject + ("jobs/" + name); }

std::string ArtifactName(const std::string& name) {
  return IsWholeName(name) ? name : kProject + ("artifacts/" + name);
}

absl::StatusOr<std::string> UploadInput(Client& client, const std::string& what, const std::string& path,
                                        v1::Artifact::Kind kind) {
  const bool is_name = IsWholeName(path) || IsHexDigest(path);
  if (is_name && access(path.c_str(), F_OK) != 0) return ArtifactName(path);
  LATHE_RETURN_IF_ERROR(CheckReadable(what, path));
  ProgressLine line;
  const auto show = [&](uint64_t done, uint64_t total) {
    line.Show("upload " + path, "upload " + path, static_cast<double>(done) / static_cast<double>(total));
  };
  LATHE_ASSIGN_OR_RETURN(const v1::Artifact artifact, client.UploadFile(path, kind, InterruptToken(), show));
  return artifact.name();
}

absl::StatusOr<v1::JobSpec> MakeOptimizeSpec(Client& client, const std::string& model, const RecipeOptions& options) {
  v1::JobSpec spec;
  v1::OptimizeSpec& optimize = *spec.mutable_optimize();
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_recipe(), MakeRecipe(options));
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_model(), UploadInput(client, "model", model, v1::Artifact::MODEL));
  LATHE_RETURN_IF_ERROR(
      FillData(client, "--calibration", options.calibration, options, optimize.mutable_calibration()));
  optimize.set_skip_benchmark(options.no_benchmark);
  optimize.set_sensitivity(options.sensitivity);
  if (options.threads) spec.mutable_budgets()->set_threads(*options.threads);
  return spec;
}

absl::StatusOr<v1::JobSpec> MakeBenchmarkSpec(Client& client, const BenchmarkOptions& options) {
  v1::JobSpec spec;
  v1::BenchmarkSpec& benchmark = *spec.mutable_benchmark();
  LATHE_ASSIGN_OR_RETURN(*benchmark.mutable_model(), UploadInput(client, "model", options.model, v1::Artifact::MODEL));
  if (!options.against.empty()) {
    LATHE_ASSIGN_OR_RETURN(*benchmark.mutable_against(),
                           UploadInput(client, "--against", options.against, v1::Artifact::MODEL));
  }
  benchmark.set_runs(options.runs);
  benchmark.set_profile(options.profile);
  LATHE_RETURN_IF_ERROR(FillData(client, "--data", options.data_path, options, benchmark.mutable_data()));
  if (options.threads) spec.mutable_budgets()->set_threads(*options.threads);
  return spec;
}

std::string MakeRequestId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) id += absl::StrFormat("%08x", random());
  return id;
}

absl::StatusOr<v1::Job> FollowJob(Client& client, const std::string& name, OnInterrupt on_interrupt,
                                  bool show_progress) {
  ProgressLine line;
  std::jthread canceller;
  if (on_interrupt == OnInterrupt::kCancelJob) canceller = CancelOnInterrupt(client, name);
  const CancelToken stop = on_interrupt == OnInterrupt::kDetach ? InterruptToken() : CancelToken();
  auto job = client.WatchJob(
      name,
      [&](const v1::JobEvent& event) {
        if (show_progress) ShowEvent(event, &line);
      },
      stop);
  if (absl::IsCancelled(job.status()) && stop.IsCancelled()) {
    return MakeError(absl::StatusCode::kCancelled, "DETACHED",
                     absl::StrFormat("no longer watching; the job goes on: lathe jobs watch %s", name));
  }
  return job;
}

absl::StatusOr<v1::Job> RunRemotely(Client& client, const v1::JobSpec& spec) {
  v1::SubmitJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(MakeRequestId());
  LATHE_RETURN_IF_ERROR(InterruptToken().Check());
  LATHE_ASSIGN_OR_RETURN(const v1::Job submitted, client.SubmitJob(request));
  Output::Note("job " + submitted.name());
  LATHE_ASSIGN_OR_RETURN(v1::Job job, FollowJob(client, submitted.name(), OnInterrupt::kCancelJob, true));
  LATHE_RETURN_IF_ERROR(StatusOfJob(job));
  return job;
}

}  // namespace lathe
