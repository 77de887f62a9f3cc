// inspect and dump: what is in a model file.

#include <nlohmann/json.hpp>

#include "client/cli/commands.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "client/cli/report_table.h"
#include "client/cli/target_table.h"
#include "common/file.h"
#include "wire/compatibility_report.h"

namespace lathe {
namespace {

// One line an operator; the largest public models have tens of thousands.
constexpr uint64_t kDumpBytesMax = uint64_t{1} << 30;

absl::StatusOr<v1::ModelSummary> InspectHere(const InspectOptions& options) {
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  internal::v1::ExecutorSpec spec;
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_inspect()->mutable_model(),
                         job.AddInput("model", options.model, "model.tflite"));
  spec.mutable_inspect()->set_target(TargetByName(options.target));
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), std::nullopt, false));
  return result.inspection();
}

absl::StatusOr<v1::ModelSummary> InspectThere(const InspectOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  LATHE_ASSIGN_OR_RETURN(const std::string artifact, UploadInput(*client, "model", options.model, v1::Artifact::MODEL));
  return client->InspectModel(artifact, TargetByName(options.target));
}

}  // namespace

absl::Status Inspect(const InspectOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const v1::ModelSummary summary,
                         options.server.empty() ? InspectHere(options) : InspectThere(options));
  output.Answer(summary, options.target.empty() ? ModelText(summary) + TargetsText(summary.targets())
                                                : TargetText(summary.targets(0)));
  return absl::OkStatus();
}

absl::Status Dump(const ModelOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  internal::v1::ExecutorSpec spec;
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_dump()->mutable_model(), job.AddInput("model", options.model, "model.tflite"));
  LATHE_ASSIGN_OR_RETURN(const auto result, job.Run(std::move(spec), std::nullopt, false));
  LATHE_ASSIGN_OR_RETURN(const std::string text, ReadFile(job.Path(result.dump_path()), kDumpBytesMax));
  std::string json;
  if (output.json()) {
    const nlohmann::json answer = {{"dump", text}};
    json = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  output.AnswerJson(json, text);
  return absl::OkStatus();
}

}  // namespace lathe
