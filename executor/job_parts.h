#ifndef LATHE_EXECUTOR_JOB_PARTS_H_
#define LATHE_EXECUTOR_JOB_PARTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/file.h"
#include "executor/job.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"
#include "runtime/benchmark.h"
#include "runtime/samples.h"

namespace lathe {

// How the job's data becomes samples: `given`, and where it says nothing the recipe (may be null).
SampleOptions JobSampleOptions(const JobContext& context, const internal::v1::SampleOptions& given,
                               const Recipe* recipe);

// The samples of the job: the data file `relative` in the job directory, or synthetic ones when it is "". Scale and
// mean of the spec win over the recipe's. Errors as OpenSamples.
absl::StatusOr<std::unique_ptr<SampleSource>> OpenJobSamples(const JobContext& context, const Model& model,
                                                             const std::string& relative,
                                                             const Recipe* recipe = nullptr);

// A model of the job: hostile bytes end where it was read.
struct ModelFile {
  std::string path;
  std::shared_ptr<const MappedFile> file;
  Model model;
};
// Errors as MappedFile::Open and ReadModel; `what` names the model in them.
absl::StatusOr<ModelFile> ReadModelFile(const JobContext& context, const std::string& relative, const char* what);

// Latencies of one or two models as the report has them.
LatencyReport MakeLatencyReport(const std::vector<Latency>& latencies, int threads);

// What the rules of the recipe take. REQUIRES: `settings` were resolved for `input`.
std::vector<RuleMatch> DescribeMatches(const Model& input, const SettingsTable& settings);

// Digest of a resolved recipe, for the provenance.
std::string RecipeDigest(const Recipe& resolved);

// Build, runtime, processor, seed and threads; digests are the caller's.
Provenance JobProvenance(const JobContext& context);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_JOB_PARTS_H_
