// recommend: which recipes suit a model.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/local_job.h"
#include "client/cli/remote_job.h"
#include "client/cli/table_row.h"
#include "lathe/v1/model_service.pb.h"
#include "wire/compatibility_report.h"

namespace lathe {
namespace {

using v1::RecommendRecipeRequest;
using v1::RecommendRecipeResponse;

constexpr int kOperatorRowsMax = 8;  // of one recommendation; --json has all

RecommendRecipeRequest::DataAtHand DataByName(const std::string& name) {
  if (name == "labelled") return RecommendRecipeRequest::LABELLED;
  return name == "unlabelled" ? RecommendRecipeRequest::UNLABELLED : RecommendRecipeRequest::NONE;
}

absl::StatusOr<RecommendRecipeResponse> RecommendHere(const RecommendOptions& options) {
  LATHE_ASSIGN_OR_RETURN(LocalJob job, LocalJob::Create());
  internal::v1::ExecutorSpec spec;
  LATHE_ASSIGN_OR_RETURN(*spec.mutable_recommend()->mutable_model(),
                         job.AddInput("model", options.model, "model.tflite"));
  spec.mutable_recommend()->set_target(TargetByName(options.target));
  spec.mutable_recommend()->set_data(DataByName(options.data));
  LATHE_ASSIGN_OR_RETURN(auto result, job.Run(std::move(spec), std::nullopt, false));
  return std::move(*result.mutable_recommendation());
}

absl::StatusOr<RecommendRecipeResponse> RecommendThere(const RecommendOptions& options) {
  LATHE_ASSIGN_OR_RETURN(const auto client, Client::Connect(options.server));
  RecommendRecipeRequest request;
  LATHE_ASSIGN_OR_RETURN(*request.mutable_model(), UploadInput(*client, "model", options.model, v1::Artifact::MODEL));
  request.set_target(TargetByName(options.target));
  request.set_data(DataByName(options.data));
  return client->RecommendRecipe(request);
}

std::string FlagsText(const v1::Recipe& recipe) {
  std::string flags = absl::StrCat("--preset ", recipe.preset());
  if (recipe.quantize().has_io_type()) {
    const bool wide = recipe.quantize().io_type() == v1::Quantize::INT16;
    absl::StrAppend(&flags, " --io-type ", wide ? "int16" : "int8");
  }
  return flags;
}

std::string RecommendationText(const RecommendRecipeResponse::Recommendation& each, int rank) {
  std::string text = absl::StrFormat("%d. %s: %s (%.1f %% of the input)\n", rank, FlagsText(each.recipe()),
                                     BytesText(each.predicted_bytes()), 100 * each.size_share());
  for (const std::string& reason : each.reasons()) absl::StrAppend(&text, "   ", reason, "\n");
  for (int i = 0; i < std::min(each.operators_size(), kOperatorRowsMax); ++i) {
    const auto& row = each.operators(i);
    absl::StrAppendFormat(&text, "   %5d  %-24s %s\n", row.count(), row.kind(), row.precision());
  }
  if (!each.next_step().empty()) absl::StrAppend(&text, "   next: ", each.next_step(), "\n");
  return text + "\n";
}

std::string Text(const RecommendRecipeResponse& response) {
  std::string text;
  for (int i = 0; i < response.recommendations_size(); ++i) {
    text += RecommendationText(response.recommendations(i), i + 1);
  }
  if (!response.left_out().empty()) text += "left out\n";
  for (const std::string& why : response.left_out()) absl::StrAppend(&text, "  ", why, "\n");
  return text;
}

}  // namespace

absl::Status Recommend(const RecommendOptions& options, Output& output) {
  LATHE_ASSIGN_OR_RETURN(const RecommendRecipeResponse response,
                         options.server.empty() ? RecommendHere(options) : RecommendThere(options));
  output.Answer(response, Text(response));
  return absl::OkStatus();
}

}  // namespace lathe
