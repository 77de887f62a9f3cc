#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "client/cli/report_table.h"
#include "client/cli/terminal.h"
#include "common/file.h"
#include "wire/report.h"

namespace lathe {
namespace {

constexpr char kModelName[] = "model.tflite";  // in the job directory

absl::Status FillSamples(const RecipeOptions& options, internal::v1::SampleOptions* samples) {
  // The recipe has the preprocessing already.
  samples->set_sample_limit(options.data.samples);
  if (options.input_range.empty()) return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(const auto range, ParseInputRange(options.input_range));
  samples->set_input_low(range.first);
  samples->set_input_high(range.second);
  return absl::OkStatus();
}

// The executor's file, copied beside `out` and renamed onto it.
absl::Status Deliver(const std::string& made, const std::string& out) {
  LATHE_ASSIGN_OR_RETURN(const auto model, MappedFile::Open(made));
  LATHE_ASSIGN_OR_RETURN(const auto file, AtomicFile::Create(out));
  LATHE_RETURN_IF_ERROR(file->Append(model->bytes()));
  return file->Commit();
}

absl::StatusOr<v1::Report> OptimizeHere(const OptimizeOptions& options) {
  internal::v1::ExecutorSpec spec;
  auto& optimize = *spec.mutable_optimize();
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_recipe(), MakeRecipe(options.recipe));
  LATHE_RETURN_IF_ERROR(FillSamples(options.recipe, spec.mutable_samples()));
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_model(), job.AddInput("model", options.model, kModelName));
  const std::string& data = options.recipe.calibration;
  if (!data.empty()) {
    LATHE_ASSIGN_OR_RETURN(*optimize.mutable_calibration(),
                           job.AddInput("--calibration", data, StagedDataName(data, {kModelName})));
  }
  optimize.set_benchmark(!options.recipe.no_benchmark);
  optimize.set_sensitivity(options.recipe.sensitivity);
  optimize.set_dry_run(options.dry_run);
  spec.set_seed(options.recipe.seed);
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), options.recipe.threads, true));
  if (!options.dry_run && !options.out.empty()) {
    LATHE_RETURN_IF_ERROR(Deliver(job.Path("out/model.tflite"), options.out));
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
  }
  output.Answer(report, AnswerText(options, report));
  return absl::OkStatus();
}

}  // namespace lathe
