#include "common/file.h"
#include "executor/job.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/recommendation/predict.h"
#include "wire/recipe.h"

namespace lathe {

absl::StatusOr<internal::v1::ExecutorResult> RunPlan(const JobContext& context) {
  const internal::v1::ExecutorSpec::Plan& spec = context.spec.plan();
  context.events.BeginPhase("read", 0, 1);
  LATHE_ASSIGN_OR_RETURN(const std::string path, context.Path(spec.model()));
  LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  LATHE_ASSIGN_OR_RETURN(const Model model, ReadModel(file));
  LATHE_ASSIGN_OR_RETURN(const Prediction prediction, PredictRecipe(model, RecipeFromProto(spec.recipe())));
  internal::v1::ExecutorResult result;
  v1::PlanRecipeResponse& answer = *result.mutable_plan();
  *answer.mutable_resolved_recipe() = RecipeToProto(prediction.resolved);
  for (const PlanStep& step : prediction.plan) {
    v1::PlanStep& added = *answer.add_plan();
    added.set_pass(step.pass);
    added.set_description(step.description);
    added.set_changed(static_cast<uint64_t>(step.changed));
  }
  answer.mutable_warnings()->Assign(prediction.warnings.begin(), prediction.warnings.end());
  return result;
}

}  // namespace lathe
