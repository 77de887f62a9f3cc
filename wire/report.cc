#include "wire/report.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "wire/accuracy_report.h"
#include "wire/causes.h"
#include "wire/compatibility_report.h"
#include "wire/histogram_report.h"
#include "wire/json.h"
#include "wire/memory_report.h"
#include "wire/profile_report.h"
#include "wire/size_report.h"

namespace lathe {
namespace {

// The value when there is one that JSON can hold.
std::optional<double> Finite(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

uint32_t Unsigned(int value) { return static_cast<uint32_t>(std::max(value, 0)); }

void Fill(const FileReport& from, v1::FileReport* to) {
  to->set_bytes(from.bytes);
  if (from.zstd_bytes) to->set_zstd_bytes(*from.zstd_bytes);
  to->set_sha256(from.sha256);
}

void Fill(const LatencyReport& from, v1::LatencyReport* to) {
  to->set_input_ms(from.input_ms);
  to->set_input_runs(Unsigned(from.input_runs));
  to->set_threads(Unsigned(from.threads));
  if (const auto p90 = Finite(from.input_p90_ms)) to->set_input_p90_ms(*p90);
  if (const auto p99 = Finite(from.input_p99_ms)) to->set_input_p99_ms(*p99);
  to->set_input_load_ms(from.input_load_ms);
  to->set_input_first_run_ms(from.input_first_run_ms);
  to->set_loads(Unsigned(from.loads));
  if (from.output_runs <= 0) return;  // a benchmark of one file
  to->set_output_load_ms(from.output_load_ms);
  to->set_output_first_run_ms(from.output_first_run_ms);
  if (const auto ratio = Finite(from.ratio)) to->set_ratio(*ratio);
  if (const auto low = Finite(from.ratio_low)) to->set_ratio_low(*low);
  if (const auto high = Finite(from.ratio_high)) to->set_ratio_high(*high);
  to->set_ranking(from.ranking);
  to->set_rounds(Unsigned(from.rounds));
  to->set_output_ms(from.output_ms);
  to->set_output_runs(Unsigned(from.output_runs));
  if (const auto p90 = Finite(from.output_p90_ms)) to->set_output_p90_ms(*p90);
  if (const auto p99 = Finite(from.output_p99_ms)) to->set_output_p99_ms(*p99);
}

void Fill(const ErrorReport& from, v1::ErrorReport* to) {
  to->set_synthetic(from.synthetic);
  to->set_samples(from.samples);
  for (const OutputError& output : from.outputs) *to->add_outputs() = OutputErrorToProto(output);
  to->set_held_back(from.held_back);
}

void Fill(const GraphReport& from, v1::GraphReport* to) {
  to->set_operators(Unsigned(from.operators));
  to->set_integer_operators(Unsigned(from.integer_operators));
  to->set_integer_share(from.integer_share);
  to->set_quantize_operators(Unsigned(from.quantize_operators));
  to->set_dequantize_operators(Unsigned(from.dequantize_operators));
  if (from.undelegated_operators) to->set_undelegated_operators(Unsigned(*from.undelegated_operators));
  if (const auto share = Finite(from.undelegated_share)) to->set_undelegated_share(*share);
}

void Fill(const RangeReport& from, v1::RangeReport* to) {
  to->set_name(from.name);
  to->set_algorithm(from.algorithm);
  to->set_min(from.min);
  to->set_max(from.max);
  to->set_chosen_min(from.chosen_min);
  to->set_chosen_max(from.chosen_max);
  if (from.group) to->set_group(Unsigned(*from.group));
}

void Fill(const CalibrationReport& from, v1::CalibrationReport* to) {
  to->set_samples(from.samples);
  to->set_held_back(from.held_back);
  for (const RangeReport& range : from.ranges) Fill(range, to->add_ranges());
  for (const SampleNote& note : from.notable_samples) {
    auto* added = to->add_notable_samples();
    added->set_sample(note.sample);
    added->set_tensor(note.tensor);
    added->set_reason(note.reason);
  }
  for (const TensorNote& note : from.degenerate_tensors) {
    auto* added = to->add_degenerate_tensors();
    added->set_tensor(note.tensor);
    added->set_reason(note.reason);
  }
  FillHistograms(from.histograms, to);
}

void Fill(const StageReport& from, v1::StageReport* to) {
  to->set_stage(from.stage);
  to->set_setting(from.setting);
  if (const auto sqnr = Finite(from.sqnr_before_db)) to->set_sqnr_before_db(*sqnr);
  if (const auto sqnr = Finite(from.sqnr_after_db)) to->set_sqnr_after_db(*sqnr);
  to->set_kept(from.kept);
  to->set_seconds(from.seconds);
  to->set_reason(from.reason);
  if (from.bytes) to->set_bytes(*from.bytes);
  if (from.bytes_before) to->set_bytes_before(*from.bytes_before);
}

void Fill(const RuleMatch& from, v1::RuleMatch* to) {
  to->set_rule(Unsigned(from.rule));
  to->set_subgraph(Unsigned(from.subgraph));
  to->set_index(Unsigned(from.index));
  to->set_kind(from.kind);
  to->set_name(from.name);
}

void Fill(const SensitivityReport& from, v1::SensitivityReport* to) {
  to->set_subgraph(Unsigned(from.subgraph));
  to->set_index(Unsigned(from.index));
  to->set_kind(from.kind);
  to->set_name(from.name);
  if (const auto sqnr = Finite(from.alone_sqnr_db)) to->set_alone_sqnr_db(*sqnr);
  if (const auto gain = Finite(from.gain_db)) to->set_gain_db(*gain);
}

void Fill(const OperatorReport& from, v1::OperatorReport* to) {
  to->set_subgraph(Unsigned(from.subgraph));
  to->set_index(Unsigned(from.index));
  to->set_kind(from.kind);
  to->set_name(from.name);
  to->set_precision(from.precision);
  to->set_reason(from.reason);
  if (const auto sqnr = Finite(from.sqnr_db)) to->set_sqnr_db(*sqnr);
  if (const auto ms = Finite(from.ms)) to->set_ms(*ms);
}

void Fill(const PlanStep& from, v1::PlanStep* to) {
  to->set_pass(from.pass);
  to->set_description(from.description);
  to->set_changed(static_cast<uint64_t>(std::max<int64_t>(from.changed, 0)));
}

void Fill(const Provenance& from, v1::Provenance* to) {
  to->set_build_id(from.build_id);
  to->set_runtime_version(from.runtime_version);
  to->set_cpu_features(from.cpu_features);
  to->set_recipe_sha256(from.recipe_sha256);
  for (const std::string& digest : from.data_sha256) to->add_data_sha256(digest);
  to->set_seed(from.seed);
  to->set_threads(Unsigned(from.threads));
}

}  // namespace

v1::OutputError OutputErrorToProto(const OutputError& output) {
  v1::OutputError proto;
  proto.set_name(output.name);
  if (const auto sqnr = Finite(output.sqnr_db)) proto.set_sqnr_db(*sqnr);
  if (const auto sqnr = Finite(output.sqnr_mean_removed_db)) proto.set_sqnr_mean_removed_db(*sqnr);
  if (const auto share = Finite(output.argmax_agreement)) proto.set_argmax_agreement(*share);
  if (const auto share = Finite(output.argmax_ties)) proto.set_argmax_ties(*share);
  return proto;
}

v1::Report ReportToProto(const Report& report) {
  v1::Report proto;
  Fill(report.input, proto.mutable_input());
  if (report.output) Fill(*report.output, proto.mutable_output());
  if (report.latency) Fill(*report.latency, proto.mutable_latency());
  if (report.accuracy) *proto.mutable_accuracy() = AccuracyToProto(*report.accuracy);
  if (report.profile) *proto.mutable_profile() = ProfileReportToProto(*report.profile);
  if (report.size) *proto.mutable_size() = SizeReportToProto(*report.size);
  if (report.memory) *proto.mutable_memory() = MemoryReportToProto(*report.memory);
  if (report.error) Fill(*report.error, proto.mutable_error());
  for (const OperatorReport& op : report.operators) Fill(op, proto.add_operators());
  for (const PlanStep& step : report.plan) Fill(step, proto.add_plan());
  for (const Timing& timing : report.timing) {
    auto* added = proto.add_timing();
    added->set_step(timing.step);
    added->set_seconds(timing.seconds);
  }
  proto.set_peak_rss_bytes(report.peak_rss_bytes);
  for (const std::string& warning : report.warnings) proto.add_warnings(warning);
  Fill(report.provenance, proto.mutable_provenance());
  if (report.graph) Fill(*report.graph, proto.mutable_graph());
  for (const CompatibilityReport& target : report.compatibility)
    *proto.add_compatibility() = CompatibilityToProto(target);
  if (report.calibration) Fill(*report.calibration, proto.mutable_calibration());
  for (const StageReport& stage : report.stages) Fill(stage, proto.add_stages());
  for (const RuleMatch& match : report.rule_matches) Fill(match, proto.add_rule_matches());
  for (const SensitivityReport& op : report.sensitivity) Fill(op, proto.add_sensitivity());
  for (const std::string& sentence : report.verdict) proto.add_verdict(sentence);
  for (const RankedCause& cause : report.causes) *proto.add_causes() = RankedCauseToProto(cause);
  if (report.transform_peak_rss_bytes) proto.set_transform_peak_rss_bytes(*report.transform_peak_rss_bytes);
  FillHistograms(report.histograms, &proto);
  return proto;
}

std::string ReportText(const v1::Report& report) { return ToJsonText(report, 2) + "\n"; }

}  // namespace lathe
