#ifndef LATHE_EXECUTOR_JOB_PARTS_H_
#define LATHE_EXECUTOR_JOB_PARTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/job.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"
#include "runtime/benchmark.h"
#include "runtime/samples.h"

namespace lathe {

// The samples of the job: the data file `relative` in the job directory, or synthetic ones when it is "". Scale and
// mean of the spec win over the recipe's. Errors as OpenSamples.
absl::StatusOr<std::unique_ptr<SampleSource>> OpenJobSamples(const JobContext& context, const Model& model,
                                                             const std::string& relative,
                                                             const Recipe* recipe = nullptr);

// What was measured of one or two models, as the report has it.
LatencyReport MakeLatencyReport(const BenchmarkResult& result, int threads);
MemoryReport MakeMemoryReport(const BenchmarkResult& result, absl::Span<const BenchmarkModel> models);

// What the rules of the recipe take. REQUIRES: `settings` were resolved for `input`.
std::vector<RuleMatch> DescribeMatches(const Model& input, const SettingsTable& settings);

// Digest of a resolved recipe, for the provenance.
std::string RecipeDigest(const Recipe& resolved);

// Build, runtime, processor, seed and threads; digests are the caller's.
Provenance JobProvenance(const JobContext& context);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_JOB_PARTS_H_
