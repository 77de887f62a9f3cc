#include "executor/job_parts.h"

#include "common/build_id.h"
#include "common/digest.h"
#include "executor/provenance.h"
#include "optimizer/model/op_kind.h"
#include "runtime/litert_library.h"
#include "wire/preprocessing.h"
#include "wire/recipe.h"

namespace lathe {

absl::StatusOr<std::unique_ptr<SampleSource>> OpenJobSamples(const JobContext& context, const Model& model,
                                                             const std::string& relative, const Recipe* recipe) {
  const internal::v1::SampleOptions& given = context.spec.samples();
  SampleOptions options;
  options.preprocessing = PreprocessingFromProto(given.preprocessing());
  if (recipe != nullptr) options.preprocessing = MergePreprocessing(recipe->preprocessing, options.preprocessing);
  if (given.has_input_low()) options.input_low = given.input_low();
  if (given.has_input_high()) options.input_high = given.input_high();
  options.sample_limit = given.sample_limit();
  options.seed = context.spec.seed();
  if (relative.empty()) return MakeSyntheticSamples(model, options);
  LATHE_ASSIGN_OR_RETURN(std::string path, context.Path(relative));
  return OpenSamples(model, path, options);
}

LatencyReport MakeLatencyReport(const std::vector<Latency>& latencies, int threads) {
  LatencyReport report;
  report.threads = threads;
  report.input_ms = latencies[0].median_ms;
  report.input_p90_ms = latencies[0].p90_ms;
  report.input_runs = latencies[0].runs;
  if (latencies.size() > 1) {
    report.output_ms = latencies[1].median_ms;
    report.output_p90_ms = latencies[1].p90_ms;
    report.output_runs = latencies[1].runs;
  }
  return report;
}

std::vector<RuleMatch> DescribeMatches(const Model& input, const SettingsTable& settings) {
  std::vector<RuleMatch> matches;
  for (const SettingsTable::Match& match : settings.matches()) {
    const Subgraph& graph = input.subgraphs[static_cast<size_t>(match.subgraph)];
    const Op& op = graph.ops[static_cast<size_t>(match.index)];
    RuleMatch& row = matches.emplace_back();
    row.rule = static_cast<int>(match.rule);
    row.subgraph = match.subgraph;
    row.index = match.index;
    row.kind = OpKindName(op.kind);
    if (!op.outputs.empty() && op.outputs[0].valid()) row.name = graph.tensor(op.outputs[0]).name;
  }
  return matches;
}

std::string RecipeDigest(const Recipe& resolved) { return HexDigest(RecipeToProto(resolved).SerializeAsString()); }

Provenance JobProvenance(const JobContext& context) {
  Provenance provenance;
  provenance.build_id = BuildId();
  provenance.runtime_version = RuntimeVersion();
  provenance.cpu_features = CpuFeatures();
  provenance.seed = context.spec.seed();
  provenance.threads = static_cast<int>(context.spec.threads());
  return provenance;
}

}  // namespace lathe
