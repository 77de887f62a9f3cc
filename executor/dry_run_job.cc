#include "common/file.h"
#include "executor/job.h"
#include "executor/job_parts.h"
#include "executor/provenance.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/recipe/validate.h"
#include "runtime/process_memory.h"
#include "wire/recipe.h"
#include "wire/report.h"

namespace lathe {

absl::StatusOr<internal::v1::ExecutorResult> RunDryRun(const JobContext& context) {
  const internal::v1::ExecutorSpec::Optimize& spec = context.spec.optimize();
  context.events.BeginPhase("read", 0, 1);
  LATHE_ASSIGN_OR_RETURN(const Recipe recipe, ResolveRecipe(RecipeFromProto(spec.recipe()), "recipe"));
  LATHE_ASSIGN_OR_RETURN(const std::string path, context.Path(spec.model()));
  LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  LATHE_ASSIGN_OR_RETURN(const Model model, ReadModel(file));
  LATHE_ASSIGN_OR_RETURN(const SettingsTable settings, SettingsTable::Resolve(model, recipe));
  Report report;
  LATHE_ASSIGN_OR_RETURN(report.input, DescribeFile(path, false));
  report.rule_matches = DescribeMatches(model, settings);
  report.provenance = JobProvenance(context);
  report.provenance.recipe_sha256 = RecipeDigest(recipe);
  report.peak_rss_bytes = PeakRssBytes();
  internal::v1::ExecutorResult result;
  *result.mutable_report() = ReportToProto(report);
  return result;
}

}  // namespace lathe
