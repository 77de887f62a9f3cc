#include "executor/job_parts.h"

#include "common/build_id.h"
#include "common/digest.h"
#include "executor/provenance.h"
#include "optimizer/model/op_kind.h"
#include "runtime/litert_library.h"
#include "runtime/memory_plan.h"
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

LatencyReport MakeLatencyReport(const BenchmarkResult& result, int threads) {
  LatencyReport report;
  report.threads = threads;
  report.loads = result.loads;
  const Latency& input = result.latencies[0];
  report.input_ms = input.median_ms;
  report.input_p90_ms = input.p90_ms;
  report.input_p99_ms = input.p99_ms;
  report.input_runs = input.runs;
  report.input_load_ms = input.load_ms;
  report.input_first_run_ms = input.first_run_ms;
  if (result.latencies.size() < 2) return report;
  const Latency& output = result.latencies[1];
  report.output_ms = output.median_ms;
  report.output_p90_ms = output.p90_ms;
  report.output_p99_ms = output.p99_ms;
  report.output_runs = output.runs;
  report.output_load_ms = output.load_ms;
  report.output_first_run_ms = output.first_run_ms;
  report.rounds = result.rounds;
  report.ratio = result.ratio->ratio;
  if (result.rounds > 1) {
    report.ratio_low = result.ratio->low;
    report.ratio_high = result.ratio->high;
  }
  report.ranking = RankingText(Rank(*result.ratio));
  return report;
}

MemoryReport MakeMemoryReport(const BenchmarkResult& result, absl::Span<const BenchmarkModel> models) {
  const auto describe = [&](size_t i) {
    MemoryOfModel memory;
    memory.heap_bytes = result.memory[i].heap_bytes;
    memory.arena_bytes = EstimateActivationPeakBytes(*models[i].model);
    memory.peak_rss_bytes = result.memory[i].peak_rss_bytes;
    return memory;
  };
  MemoryReport report;
  report.input = describe(0);
  if (models.size() > 1) report.output = describe(1);
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
