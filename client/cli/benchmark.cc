#include "client/cli/benchmark_table.h"
#include "client/cli/commands.h"
#include "client/cli/job_inputs.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"

namespace lathe {
namespace {

absl::StatusOr<v1::Report> BenchmarkHere(const BenchmarkOptions& options) {
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  internal::v1::ExecutorSpec spec;
  auto& benchmark = *spec.mutable_benchmark();
  LATHE_ASSIGN_OR_RETURN(*benchmark.mutable_model(), job.AddInput("model", options.model, "model.tflite"));
  if (!options.against.empty()) {
    LATHE_ASSIGN_OR_RETURN(*benchmark.mutable_against(), job.AddInput("--against", options.against, "against.tflite"));
  }
  if (!options.data_path.empty()) {
    LATHE_ASSIGN_OR_RETURN(*benchmark.mutable_data(),
                           job.AddInput("--data", options.data_path, StagedName(options.data_path, "data")));
  }
  benchmark.set_runs(options.runs);
  benchmark.set_profile(options.profile);
  spec.set_seed(options.seed);
  LATHE_RETURN_IF_ERROR(FillSamples(options.data, options.input_range, spec.mutable_samples()));
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_samples()->mutable_preprocessing(), MakePreprocessing(options.data));
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), options.threads, true));
  return result.report();
}

absl::StatusOr<v1::Report> BenchmarkThere(const BenchmarkOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const v1::JobSpec spec, MakeBenchmarkSpec(*client, options));
  LATHE_ASSIGN_OR_RETURN(const v1::Job job, RunRemotely(*client, spec));
  return job.result().report();
}

}  // namespace

absl::Status Benchmark(const BenchmarkOptions& options, Output& output) {
  if (!options.input_range.empty()) {  // before anything is opened or sent
    LATHE_RETURN_IF_ERROR(ParseInputRange(options.input_range).status());
  }
  LATHE_ASSIGN_OR_RETURN(const v1::Report report,
                         options.server.empty() ? BenchmarkHere(options) : BenchmarkThere(options));
  output.Answer(report, BenchmarkTable(report));
  return absl::OkStatus();
}

}  // namespace lathe
