// lathe jobs ...

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "client/cli/benchmark_table.h"
#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/remote_job.h"
#include "client/cli/report_table.h"
#include "client/cli/table_row.h"
#include "lathe/v1/job_service.pb.h"

namespace lathe {
namespace {

constexpr uint32_t kPageSizeMax = 1000;

std::string JobLine(const v1::Job& job) {
  std::string line = absl::StrFormat("%s  %-10s  attempt %d  %s", job.name(), v1::Job::State_Name(job.state()),
                                     job.attempt(), google::protobuf::util::TimeUtil::ToString(job.create_time()));
  if (job.state() == v1::Job::RUNNING) {
    const double fraction = job.progress().fraction();
    const double share = fraction > 0 ? std::min(fraction, 1.0) : 0;  // a server may send NaN
    line += absl::StrFormat("  %d %% %s", static_cast<int>(share * 100), job.progress().phase());
  }
  if (job.has_error()) line += absl::StrFormat("  %s", StatusOfJob(job).message());
  return line + "\n";
}

std::string JobText(const v1::Job& job) {
  std::string text = JobLine(job);
  for (const auto& output : job.result().outputs()) {
    text += absl::StrFormat("  %-8s %s  %s\n", v1::JobResult::Output::Role_Name(output.role()), output.artifact(),
                            BytesText(output.size_bytes()));
  }
  if (job.result().has_report() && job.spec().has_optimize()) text += OptimizeTable(job.result().report());
  if (job.result().has_report() && job.spec().has_benchmark()) text += BenchmarkTable(job.result().report());
  return text;
}

absl::Status AddLabels(const std::vector<std::string>& labels, v1::SubmitJobRequest* request) {
  for (const std::string& label : labels) {
    const size_t separator = label.find('=');
    if (separator == std::string::npos || separator == 0) {
      return UsageError(absl::StrFormat("--label '%s': expected KEY=VALUE", label));
    }
    (*request->mutable_labels())[label.substr(0, separator)] = label.substr(separator + 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobSpec> MakeSpec(Client& client, const SubmitOptions& options) {
  if (!options.benchmark) return MakeOptimizeSpec(client, options.model, options.recipe);
  BenchmarkOptions benchmark;
  benchmark.model = options.model;
  benchmark.against = options.against;
  benchmark.runs = options.runs;
  benchmark.profile = options.profile;
  benchmark.data_path = options.data_path;
  benchmark.data = options.recipe.data;
  benchmark.input_range = options.recipe.input_range;
  benchmark.seed = options.recipe.seed;
  benchmark.threads = options.recipe.threads;
  return MakeBenchmarkSpec(client, benchmark);
}

absl::Status Follow(const NameOptions& options, bool show_progress, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job,
                         FollowJob(*client, JobName(options.name), OnInterrupt::kDetach, show_progress));
  output.Answer(job, JobText(job));
  return StatusOfJob(job);
}

}  // namespace

absl::Status SubmitJob(const SubmitOptions& options, Output& output) {
  if (options.benchmark) {
    if (!options.recipe.preset.empty() || !options.recipe.recipe_path.empty() || !options.recipe.calibration.empty()) {
      return UsageError("a benchmark takes no --preset, --recipe or --calibration");
    }
  } else {
    if (!options.against.empty() || options.runs > 0 || options.profile || !options.data_path.empty()) {
      return UsageError("--against, --runs, --profile and --data need --kind benchmark");
    }
    LATHE_RETURN_IF_ERROR(MakeRecipe(options.recipe).status());  // before anything is sent
  }
  v1::SubmitJobRequest request;
  LATHE_RETURN_IF_ERROR(AddLabels(options.labels, &request));
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(*request.mutable_spec(), MakeSpec(*client, options));
  request.set_job_id(options.job_id);
  request.set_request_id(options.request_id.empty() ? MakeRequestId() : options.request_id);
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, client->SubmitJob(request));
  output.Answer(job, job.name());
  return absl::OkStatus();
}

absl::Status ListJobs(const ListOptions& options, Output& output) {
  v1::ListJobsRequest request;
  for (const std::string& name : options.states) {
    v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
    if (!v1::Job::State_Parse(absl::AsciiStrToUpper(name), &state) || state == v1::Job::STATE_UNSPECIFIED) {
      return UsageError(
          absl::StrFormat("--state '%s': expected queued, running, cancelling, succeeded, failed, "
                          "cancelled or expired",
                          name));
    }
    request.add_states(state);
  }
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  v1::ListJobsResponse answer;
  std::string text;
  while (static_cast<uint32_t>(answer.jobs_size()) < options.limit) {
    request.set_page_size(std::min(options.limit - static_cast<uint32_t>(answer.jobs_size()), kPageSizeMax));
    LATHE_ASSIGN_OR_RETURN(const v1::ListJobsResponse page, client->ListJobs(request));
    for (const v1::Job& job : page.jobs()) text += JobLine(job);
    answer.mutable_jobs()->MergeFrom(page.jobs());
    answer.set_next_page_token(page.next_page_token());
    request.set_page_token(page.next_page_token());
    if (page.next_page_token().empty()) break;
  }
  output.Answer(answer, text);
  return absl::OkStatus();
}

absl::Status GetJob(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, client->GetJob(JobName(options.name)));
  output.Answer(job, JobText(job));
  return absl::OkStatus();
}

absl::Status WatchJob(const NameOptions& options, Output& output) { return Follow(options, true, output); }

absl::Status WaitForJob(const NameOptions& options, Output& output) { return Follow(options, false, output); }

absl::Status CancelJob(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, client->CancelJob(JobName(options.name)));
  output.Answer(job, JobLine(job));
  return absl::OkStatus();
}

absl::Status RetryJob(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, client->RetryJob(JobName(options.name)));
  output.Answer(job, job.name());
  return absl::OkStatus();
}

absl::Status DeleteJob(const NameOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_RETURN_IF_ERROR(client->DeleteJob(JobName(options.name)));
  output.AnswerJson("{}", "deleted " + JobName(options.name));
  return absl::OkStatus();
}

}  // namespace lathe
