#include <filesystem>
#include <system_error>

#include "client/cli/accuracy_table.h"
#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "client/cli/table_row.h"
#include "common/file.h"

namespace lathe {
namespace {

// What can be refused before anything is opened.
absl::Status CheckOptions(const EvaluateOptions& options) {
  LATHE_RETURN_IF_ERROR(MakeMetricOptions(options.metric, options.metric_options_path).status());
  if (!options.predictions_dir.empty() && !options.server.empty()) {
    return UsageError("--predictions keeps the answers of a run on this machine; leave out --server and LATHE_SERVER");
  }
  return options.predictions_dir.empty() ? absl::OkStatus() : MakeFolder(options.predictions_dir);
}

absl::Status KeepPredictions(const std::string& made, const std::string& folder) {
  std::error_code error;
  const auto options = std::filesystem::copy_options::overwrite_existing | std::filesystem::copy_options::recursive;
  std::filesystem::copy(made, folder, options, error);
  return error ? ErrnoToStatus(error.value(), "cannot write predictions to", folder) : absl::OkStatus();
}

absl::StatusOr<v1::Report> EvaluateHere(const EvaluateOptions& options) {
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  internal::v1::ExecutorSpec spec;
  auto& evaluate = *spec.mutable_evaluate();
  LATHE_ASSIGN_OR_RETURN(*evaluate.mutable_model(), job.AddInput("model", options.model, "model.tflite"));
  if (!options.against.empty()) {
    LATHE_ASSIGN_OR_RETURN(*evaluate.mutable_against(), job.AddInput("--against", options.against, "against.tflite"));
  }
  LATHE_ASSIGN_OR_RETURN(*evaluate.mutable_data(),
                         job.AddInput("--data", options.data, StagedName(options.data, "data")));
  evaluate.set_metric(options.metric);
  LATHE_ASSIGN_OR_RETURN(*evaluate.mutable_options(), MakeMetricOptions(options.metric, options.metric_options_path));
  evaluate.set_predictions(!options.predictions_dir.empty());
  LATHE_RETURN_IF_ERROR(FillSamples(options.reading, "", spec.mutable_samples()));
  spec.set_seed(options.seed);
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), options.threads, true));
  if (!options.predictions_dir.empty()) {
    LATHE_RETURN_IF_ERROR(KeepPredictions(job.Path("out/predictions"), options.predictions_dir));
  }
  return result.report();
}

absl::StatusOr<v1::Report> EvaluateThere(const EvaluateOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::JobSpec spec, MakeEvaluateSpec(*client, options));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, RunRemotely(*client, spec));
  return job.result().report();
}

}  // namespace

absl::Status Evaluate(const EvaluateOptions& options, Output& output) {
  LATHE_RETURN_IF_ERROR(CheckOptions(options));
  LATHE_ASSIGN_OR_RETURN(const v1::Report report,
                         options.server.empty() ? EvaluateHere(options) : EvaluateThere(options));
  output.Answer(report, AccuracyText(report.accuracy()) + WarningsText(report.warnings()));
  return absl::OkStatus();
}

}  // namespace lathe
