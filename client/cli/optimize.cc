#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "client/cli/report_table.h"
#include "client/cli/terminal.h"
#include "common/file.h"
#include "optimizer/recipe/metric.h"
#include "wire/gate.h"
#include "wire/report.h"
#include "wire/report_page.h"

namespace lathe {
namespace {

std::string MetricOf(const RecipeOptions& options) { return options.metric.empty() ? kDefaultMetric : options.metric; }

// What the job measures and must reach beyond its recipe.
absl::Status FillAccuracy(const RecipeOptions& options, LocalJob& job, internal::v1::ExecutorSpec& spec) {
  auto& optimize = *spec.mutable_optimize();
  LATHE_ASSIGN_OR_RETURN(const std::vector<v1::Gate> gates, MakeGates(options));
  optimize.mutable_gates()->Add(gates.begin(), gates.end());
  if (options.evaluation.empty()) return absl::OkStatus();
  // The same name as the calibration data's would be another file.
  const bool same = StagedName(options.evaluation, "evaluation") == StagedName(options.calibration, "calibration");
  const std::string name =
      same ? "evaluation-" + StagedName(options.evaluation, "data") : StagedName(options.evaluation, "evaluation");
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_evaluation(), job.AddInput("--evaluation", options.evaluation, name));
  optimize.set_metric(options.metric);
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_metric_options(),
                         MakeMetricOptions(MetricOf(options), options.metric_options_path));
  *optimize.mutable_evaluation_samples() = spec.samples();
  return absl::OkStatus();
}

absl::StatusOr<v1::Report> OptimizeHere(const OptimizeOptions& options) {
  internal::v1::ExecutorSpec spec;
  auto& optimize = *spec.mutable_optimize();
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_recipe(), MakeRecipe(options.recipe));
  LATHE_RETURN_IF_ERROR(FillSamples(options.recipe.data, options.recipe.input_range, spec.mutable_samples()));
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_model(), job.AddInput("model", options.model, "model.tflite"));
  const std::string& data = options.recipe.calibration;
  if (!data.empty()) {
    LATHE_ASSIGN_OR_RETURN(*optimize.mutable_calibration(),
                           job.AddInput("--calibration", data, StagedName(data, "calibration")));
  }
  LATHE_RETURN_IF_ERROR(FillAccuracy(options.recipe, job, spec));
  optimize.set_benchmark(!options.recipe.no_benchmark);
  optimize.set_sensitivity(options.recipe.sensitivity);
  optimize.set_dry_run(options.dry_run);
  spec.set_seed(options.recipe.seed);
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), options.recipe.threads, true));
  if (!options.dry_run && !options.out.empty()) {
    LATHE_RETURN_IF_ERROR(PublishFileAtomically(job.Path("out/model.tflite"), options.out));
  }
  return result.report();
}

absl::StatusOr<v1::Report> OptimizeThere(const OptimizeOptions& options) {
  LATHE_RETURN_IF_ERROR(MakeRecipe(options.recipe).status());  // before anything is sent
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::JobSpec spec, MakeOptimizeSpec(*client, options.model, options.recipe));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, RunRemotely(*client, spec));
  for (const auto& output : job.result().outputs()) {
    if (output.role() != v1::JobResult::Output::MODEL) continue;
    if (options.out.empty()) return job.result().report();
    LATHE_RETURN_IF_ERROR(client->DownloadFile(output.artifact(), options.out, InterruptToken()));
    return job.result().report();
  }
  return absl::InternalError(absl::StrFormat("job %s succeeded without a model among its outputs", job.name()));
}

// What can be refused before anything is opened.
absl::Status CheckOptions(const OptimizeOptions& options) {
  if (options.out.empty() && !options.dry_run && !options.recipe.sensitivity) {
    return UsageError("-o (--output) is required");
  }
  if (options.dry_run && !options.server.empty()) {
    return UsageError("--dry-run reads the model on this machine; leave out --server and LATHE_SERVER");
  }
  const RecipeOptions& recipe = options.recipe;
  if (options.dry_run && (!recipe.gates.empty() || !recipe.evaluation.empty())) {
    return UsageError("--dry-run measures nothing; leave out --evaluation and --gate");
  }
  if (recipe.evaluation.empty() && !recipe.metric.empty()) return UsageError("--metric needs --evaluation");
  LATHE_RETURN_IF_ERROR(MakeMetricOptions(MetricOf(recipe), recipe.metric_options_path).status());
  LATHE_RETURN_IF_ERROR(MakeGates(recipe).status());
  if (!options.recipe.input_range.empty()) {
    LATHE_RETURN_IF_ERROR(ParseInputRange(options.recipe.input_range).status());
  }
  LATHE_RETURN_IF_ERROR(MakeRecipe(options.recipe).status());
  if (!options.out.empty()) LATHE_RETURN_IF_ERROR(CheckWritable("-o", options.out));
  return options.report_dir.empty() ? absl::OkStatus() : MakeFolder(options.report_dir);
}

std::string AnswerText(const OptimizeOptions& options, const v1::Report& report) {
  if (options.dry_run) return DryRunTable(report);
  const std::string wrote = options.out.empty() ? "" : "\nwrote " + options.out + "\n";
  return OptimizeTable(report) + wrote + VerdictLine(report);
}

}  // namespace

absl::Status Optimize(const OptimizeOptions& options, Output& output) {
  LATHE_RETURN_IF_ERROR(CheckOptions(options));
  LATHE_ASSIGN_OR_RETURN(const v1::Report report,
                         options.server.empty() ? OptimizeHere(options) : OptimizeThere(options));
  if (!options.report_dir.empty()) {
    LATHE_RETURN_IF_ERROR(WriteFileAtomically(options.report_dir + "/report.json", ReportText(report)));
    LATHE_RETURN_IF_ERROR(WriteFileAtomically(options.report_dir + "/report.html", ReportPage(report)));
  }
  output.Answer(report, AnswerText(options, report));
  return GateVerdict(report);
}

}  // namespace lathe
