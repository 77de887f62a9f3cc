// compare: two files of one network, and why the second one errs.

#include "client/cli/commands.h"
#include "client/cli/comparison_table.h"
#include "client/cli/job_inputs.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "lathe/v1/model_service.pb.h"

namespace lathe {
namespace {

constexpr char kNameA[] = "a.tflite", kNameB[] = "b.tflite";  // in the job directory

absl::StatusOr<v1::Comparison> CompareHere(const CompareCommandOptions& options) {
  internal::v1::ExecutorSpec spec;
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_samples()->mutable_preprocessing(), MakePreprocessing(options.reading));
  spec.mutable_samples()->set_sample_limit(options.reading.samples);
  if (!options.input_range.empty()) {
    LATHE_ASSIGN_OR_RETURN(const auto range, ParseInputRange(options.input_range));
    spec.mutable_samples()->set_input_low(range.first);
    spec.mutable_samples()->set_input_high(range.second);
  }
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  auto& compare = *spec.mutable_compare();
  LATHE_ASSIGN_OR_RETURN(*compare.mutable_model(), job.AddInput("the first model", options.a, kNameA));
  LATHE_ASSIGN_OR_RETURN(*compare.mutable_against(), job.AddInput("the second model", options.b, kNameB));
  if (!options.data.empty()) {
    LATHE_ASSIGN_OR_RETURN(*compare.mutable_data(),
                           job.AddInput("--data", options.data, StagedDataName(options.data, {kNameA, kNameB})));
  }
  compare.set_samples_max(options.reading.samples);
  spec.set_seed(options.seed);
  LATHE_ASSIGN_OR_RETURN(auto result, job.Run(std::move(spec), options.threads, true));
  return std::move(*result.mutable_comparison());
}

absl::StatusOr<v1::Comparison> CompareThere(const CompareCommandOptions& options) {
  v1::CompareModelsRequest request;
  v1::DatasetRef& data = *request.mutable_data();
  LATHE_ASSIGN_OR_RETURN(*data.mutable_preprocessing(), MakePreprocessing(options.reading));
  data.set_sample_limit(options.reading.samples);
  if (!options.input_range.empty()) {
    LATHE_ASSIGN_OR_RETURN(const auto range, ParseInputRange(options.input_range));
    data.mutable_input_range()->set_low(range.first);
    data.mutable_input_range()->set_high(range.second);
  }
  data.set_seed(options.seed);
  request.set_samples_max(static_cast<uint32_t>(options.reading.samples));
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(*request.mutable_model(),
                         UploadInput(*client, "the first model", options.a, v1::Artifact::MODEL));
  LATHE_ASSIGN_OR_RETURN(*request.mutable_against(),
                         UploadInput(*client, "the second model", options.b, v1::Artifact::MODEL));
  if (!options.data.empty()) {
    LATHE_ASSIGN_OR_RETURN(*data.mutable_artifact(),
                           UploadInput(*client, "--data", options.data, v1::Artifact::DATASET));
  }
  return client->CompareModels(request);
}

}  // namespace

absl::Status Compare(const CompareCommandOptions& options, Output& output) {
  if (!options.server.empty() && options.threads) {
    return UsageError("--threads is for comparisons on this machine: a server has its own");
  }
  LATHE_ASSIGN_OR_RETURN(const v1::Comparison comparison,
                         options.server.empty() ? CompareHere(options) : CompareThere(options));
  output.Answer(comparison, ComparisonTable(comparison));
  return absl::OkStatus();
}

}  // namespace lathe
