#include <algorithm>
#include <map>
#include <utility>

#include "common/file.h"
#include "executor/job.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/recommendation/recommend.h"
#include "wire/compatibility_report.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

using v1::RecommendRecipeRequest;
using v1::RecommendRecipeResponse;

DataAtHand DataFromProto(RecommendRecipeRequest::DataAtHand data) {
  switch (data) {
    case RecommendRecipeRequest::UNLABELLED:
      return DataAtHand::kUnlabelled;
    case RecommendRecipeRequest::LABELLED:
      return DataAtHand::kLabelled;
    default:
      return DataAtHand::kNone;
  }
}

void FillOperators(const Prediction& prediction, RecommendRecipeResponse::Recommendation* proto) {
  std::map<std::pair<std::string, std::string>, uint64_t> counts;
  for (const OperatorReport& op : prediction.operators) ++counts[{op.kind, op.precision}];
  std::vector<std::pair<std::pair<std::string, std::string>, uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [key, count] : rows) {
    RecommendRecipeResponse::PredictedOperators& row = *proto->add_operators();
    row.set_kind(key.first);
    row.set_precision(key.second);
    row.set_count(count);
  }
}

void Fill(const Recommendation& from, const Situation& situation, RecommendRecipeResponse::Recommendation* to) {
  *to->mutable_recipe() = RecipeToProto(from.recipe);
  to->set_predicted_bytes(from.prediction.bytes);
  to->set_size_share(static_cast<double>(from.prediction.bytes) / static_cast<double>(situation.input_bytes));
  to->mutable_reasons()->Assign(from.reasons.begin(), from.reasons.end());
  to->set_next_step(from.next_step);
  FillOperators(from.prediction, to);
  for (const CompatibilityReport& report : from.prediction.compatibility) {
    if (report.target == TargetName(situation.target)) *to->mutable_compatibility() = CompatibilityToProto(report);
  }
}

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunRecommend(const JobContext& context) {
  const internal::v1::ExecutorSpec::Recommend& spec = context.spec.recommend();
  context.events.BeginPhase("read", 0, 1);
  LATHE_ASSIGN_OR_RETURN(const std::string path, context.Path(spec.model()));
  LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  LATHE_ASSIGN_OR_RETURN(const Model model, ReadModel(file));
  const Situation situation{.target = TargetFromProto(spec.target()).value_or(Target::kCpu),
                            .data = DataFromProto(spec.data()),
                            .input_bytes = file->bytes().size()};
  LATHE_ASSIGN_OR_RETURN(const Recommendations found, Recommend(model, situation));
  internal::v1::ExecutorResult result;
  RecommendRecipeResponse& answer = *result.mutable_recommendation();
  for (const Recommendation& each : found.ranked) Fill(each, situation, answer.add_recommendations());
  answer.mutable_left_out()->Assign(found.left_out.begin(), found.left_out.end());
  return result;
}

}  // namespace lathe
