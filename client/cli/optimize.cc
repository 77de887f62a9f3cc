#include <algorithm>

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

absl::Status FillSamples(const RecipeOptions& options, internal::v1::SampleOptions* samples) {
  if (options.scale) samples->set_scale(*options.scale);
  if (options.mean) samples->set_mean(*options.mean);
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
  LATHE_ASSIGN_OR_RETURN(*optimize.mutable_model(), job.AddInput("model", options.model, "model.tflite"));
  const std::string& data = options.recipe.calibration;
  if (!data.empty()) {
    // The format is known by the ending.
    const std::string name = "calibration" + data.substr(std::min(data.rfind('.'), data.size()));
    const bool plain = name.find('/') == std::string::npos;
    LATHE_ASSIGN_OR_RETURN(*optimize.mutable_calibration(),
                           job.AddInput("--calibration", data, plain ? name : "calibration"));
  }
  optimize.set_benchmark(!options.recipe.no_benchmark);
  spec.set_seed(options.recipe.seed);
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), options.recipe.threads, true));
  LATHE_RETURN_IF_ERROR(Deliver(job.Path("out/model.tflite"), options.out));
  return result.report();
}

absl::StatusOr<v1::Report> OptimizeThere(const OptimizeOptions& options) {
  LATHE_RETURN_IF_ERROR(MakeRecipe(options.recipe).status());  // before anything is sent
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::JobSpec spec, MakeOptimizeSpec(*client, options.model, options.recipe));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, RunRemotely(*client, spec));
  for (const auto& output : job.result().outputs()) {
    if (output.role() != v1::JobResult::Output::MODEL) continue;
    LATHE_RETURN_IF_ERROR(client->DownloadFile(output.artifact(), options.out, InterruptToken()));
    return job.result().report();
  }
  return absl::InternalError(absl::StrFormat("job %s succeeded without a model among its outputs", job.name()));
}

}  // namespace

absl::Status Optimize(const OptimizeOptions& options, Output& output) {
  if (!options.recipe.input_range.empty()) {
    LATHE_RETURN_IF_ERROR(ParseInputRange(options.recipe.input_range).status());
  }
  LATHE_RETURN_IF_ERROR(MakeRecipe(options.recipe).status());
  LATHE_RETURN_IF_ERROR(CheckWritable("-o", options.out));
  if (!options.report_dir.empty()) LATHE_RETURN_IF_ERROR(MakeFolder(options.report_dir));
  LATHE_ASSIGN_OR_RETURN(const v1::Report report,
                         options.server.empty() ? OptimizeHere(options) : OptimizeThere(options));
  if (!options.report_dir.empty()) {
    LATHE_RETURN_IF_ERROR(WriteFileAtomically(options.report_dir + "/report.json", ReportText(report)));
  }
  output.Answer(report, OptimizeTable(report) + "\nwrote " + options.out + "\n" + VerdictLine(report));
  return absl::OkStatus();
}

}  // namespace lathe
