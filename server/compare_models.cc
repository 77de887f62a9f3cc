// ModelService.CompareModels.

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "lathe/v1/artifact.pb.h"
#include "server/field_checks.h"
#include "server/limits.h"
#include "server/model_question.h"
#include "server/model_service.h"
#include "server/names.h"

namespace lathe {
namespace {

struct ComparedArtifacts {
  ArtifactKey model, against;
  std::optional<ArtifactKey> data;
};

// All that is wrong with the request, then the first artifact that is missing.
absl::StatusOr<ComparedArtifacts> FindArtifacts(const v1::CompareModelsRequest& request, ArtifactIndex& index) {
  FieldChecks checks;
  ComparedArtifacts found;
  std::vector<std::pair<ArtifactKey, std::string>> needed;
  const auto need = [&](const std::string& name, const std::string& field, ArtifactKey* key) {
    auto parsed = ParseArtifactName(name, field);
    if (!parsed.ok()) return checks.Add(parsed.status());
    *key = *parsed;
    needed.emplace_back(*std::move(parsed), field);
  };
  need(request.model(), "model", &found.model);
  need(request.against(), "against", &found.against);
  if (!request.data().artifact().empty()) need(request.data().artifact(), "data.artifact", &found.data.emplace());
  checks.CheckSampling("data", request.data());
  if (request.samples_max() > limits::kComparedSamplesMax) {
    checks.Add("samples_max",
               absl::StrFormat("is %d, at most %d are allowed", request.samples_max(), limits::kComparedSamplesMax));
  }
  LATHE_RETURN_IF_ERROR(checks.Result());
  for (const auto& [key, field] : needed) {
    LATHE_RETURN_IF_ERROR(Annotate(index.GetArtifact(key.project, key.sha256).status(), field));
  }
  return found;
}

void SetSamples(const v1::DatasetRef& data, internal::v1::ExecutorSpec& spec) {
  spec.set_seed(data.seed());
  internal::v1::SampleOptions& samples = *spec.mutable_samples();
  samples.set_sample_limit(data.sample_limit());
  if (data.has_preprocessing()) *samples.mutable_preprocessing() = data.preprocessing();
  if (!data.has_input_range()) return;
  samples.set_input_low(data.input_range().low());
  samples.set_input_high(data.input_range().high());
}

}  // namespace

absl::Status ModelServiceImpl::Compare(const v1::CompareModelsRequest& request, v1::CompareModelsResponse* response) {
  LATHE_RETURN_IF_ERROR(edge_.CheckAccepting());
  LATHE_ASSIGN_OR_RETURN(const ComparedArtifacts artifacts, FindArtifacts(request, artifacts_.index()));
  auto answer = InSlot([&]() -> absl::StatusOr<internal::v1::ExecutorResult> {
    LATHE_ASSIGN_OR_RETURN(const auto question, ModelQuestion::Create(options_.jobs_dir, edge_));
    internal::v1::ExecutorSpec spec;
    auto& compare = *spec.mutable_compare();
    LATHE_ASSIGN_OR_RETURN(*compare.mutable_model(),
                           question->AddInput(artifacts_, artifacts.model.sha256, "model.tflite"));
    LATHE_ASSIGN_OR_RETURN(*compare.mutable_against(),
                           question->AddInput(artifacts_, artifacts.against.sha256, "against.tflite"));
    if (artifacts.data) {
      LATHE_ASSIGN_OR_RETURN(*compare.mutable_data(), question->AddInput(artifacts_, artifacts.data->sha256, "data"));
    }
    compare.set_samples_max(request.samples_max());
    SetSamples(request.data(), spec);
    spec.set_threads(std::max(1U, std::thread::hardware_concurrency() / static_cast<unsigned>(options_.slots)));
    return question->Ask(std::move(spec), options_.executor_path, options_.timeout, cancel_);
  });
  LATHE_RETURN_IF_ERROR(answer.status());
  v1::Comparison& comparison = *response->mutable_comparison();
  comparison = std::move(*answer->mutable_comparison());
  response->mutable_error()->set_synthetic(comparison.synthetic());
  response->mutable_error()->set_samples(comparison.samples());
  *response->mutable_error()->mutable_outputs() = comparison.outputs();
  return absl::OkStatus();
}

}  // namespace lathe
