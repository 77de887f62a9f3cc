#ifndef LATHE_OPTIMIZER_REPORT_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_REPORT_H_

// What one job found out, as plain data; wire/ turns it into lathe.v1.Report and report.json. A group that was not
// measured is absent (nullopt or empty); inside a measured group every field is set.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimizer/report/accuracy_report.h"
#include "optimizer/report/clipping_histogram.h"
#include "optimizer/report/comparison.h"
#include "optimizer/report/compatibility_report.h"
#include "optimizer/report/memory_report.h"
#include "optimizer/report/output_error.h"
#include "optimizer/report/profile_report.h"
#include "optimizer/report/size_report.h"
#include "optimizer/report/weight_histogram.h"

namespace lathe {

struct FileReport {
  uint64_t bytes = 0;
  std::optional<uint64_t> zstd_bytes;  // zstd level 3; absent with --no-benchmark
  std::string sha256;                  // lower-case hex
};

// Interleaved runs of both files in one process, after 2 warm-up runs each.
struct LatencyReport {
  double input_ms = 0, output_ms = 0;                 // medians
  std::optional<double> input_p90_ms, output_p90_ms;  // absent below 10 runs
  std::optional<double> input_p99_ms, output_p99_ms;  // absent below 100 runs
  int input_runs = 0, output_runs = 0;
  int threads = 1;
  // Two files: the output's time as a multiple of the input's, from `rounds` comparisons, an interval that misses it
  // with a chance of 1 % (absent after a single run), and what that says of the output: faster, slower, no difference.
  std::optional<double> ratio, ratio_low, ratio_high;
  std::string ranking;
  int rounds = 0;
  // Loading and the first run after it; medians of `loads` loads of each file.
  double input_load_ms = 0, output_load_ms = 0, input_first_run_ms = 0, output_first_run_ms = 0;
  int loads = 0;
};

struct ErrorReport {
  bool synthetic = false;  // samples made from the seed, not given by the user
  uint64_t samples = 0;
  std::vector<OutputError> outputs;  // in the model's order
  bool held_back = false;            // measured on samples that nothing was chosen by
};

// Figures of the output file's graph, all subgraphs.
struct GraphReport {
  int operators = 0;
  int integer_operators = 0;  // those that compute on integers; QUANTIZE and DEQUANTIZE are not among them
  double integer_share = 0;   // of the operators but QUANTIZE and DEQUANTIZE
  int quantize_operators = 0, dequantize_operators = 0;
  std::optional<int> undelegated_operators;  // run by the runtime's own kernels; absent: not asked
  std::optional<double> undelegated_share;   // of all operators
};

// One thing that was tried for accuracy, in the order in which it was tried.
struct StageReport {
  std::string stage;    // equalization, ranges, rounding, bias-correction, fallback, ...
  std::string setting;  // what was tried: cle, alpha 0.65, int16x8 for operator 12, ...
  // SQNR on held-back samples without and with it, averaged over the outputs; in fallback the least mean-removed one,
  // which min_sqnr_db is about. Absent: not measured.
  std::optional<double> sqnr_before_db, sqnr_after_db;
  bool kept = false;
  double seconds = 0;
  std::string reason;                           // why it was kept or not, when the figures do not say it
  std::optional<uint64_t> bytes, bytes_before;  // of the file with it and without it; absent: not measured
};

// An operator of the input file that a rule of the recipe takes.
struct RuleMatch {
  int rule = 0;  // index in Recipe::rules
  int subgraph = 0, index = 0;
  std::string kind, name;  // as OperatorReport
};

// What one operator of the input file adds to the error; the list is sorted, largest contribution first.
struct SensitivityReport {
  int subgraph = 0, index = 0;
  std::string kind, name;               // as OperatorReport
  std::optional<double> alone_sqnr_db;  // least mean-removed SQNR over the outputs with only this operator quantized
  std::optional<double> gain_db;        // what that figure of the whole result gains when this operator stays in float
};

// How a tensor's range was chosen, if not by minimum and maximum alone.
struct RangeReport {
  std::string name;
  std::string algorithm;    // min-max, percentile, min-error, entropy, moving-average
  double min = 0, max = 0;  // seen
  double chosen_min = 0, chosen_max = 0;
  std::optional<int> group;  // tensors of one number share a scale; absent: the tensor is in no group
};

// A calibration sample that should be looked at.
struct SampleNote {
  uint64_t sample = 0;  // index in the data
  std::string tensor;   // where it shows
  std::string reason;
};

struct TensorNote {
  std::string tensor;
  std::string reason;
};

struct CalibrationReport {
  uint64_t samples = 0;                        // that ranges and stages were chosen by
  uint64_t held_back = 0;                      // that decided which stages stay; 0: too few samples, fixed defaults
  std::vector<RangeReport> ranges;             // other than min-max, and all tensors of groups
  std::vector<SampleNote> notable_samples;     // outliers, degenerate ones
  std::vector<TensorNote> degenerate_tensors;  // constant on every sample, ...
  std::vector<ClippingHistogram> histograms;   // of the tensors that are treated worst, worst first
};

struct OperatorReport {
  int subgraph = 0;
  int index = 0;          // in the output file
  std::string kind;       // CONV_2D
  std::string name;       // name of the first output tensor
  std::string precision;  // float32, float16, int8, dynamic-range int8, weight-only int8, or what the file had
  std::string reason;     // why it is not in the precision asked for; "" when it is
  std::optional<double> sqnr_db, ms;  // absent: not measured
};

struct PlanStep {
  std::string pass;
  std::string description;
  int64_t changed = 0;  // tensors or operators the pass changed
};

struct Timing {
  std::string step;
  double seconds = 0;
};

struct Provenance {
  std::string build_id, runtime_version, cpu_features;
  std::string recipe_sha256;  // of the resolved recipe's canonical text
  std::vector<std::string> data_sha256;
  uint64_t seed = 0;
  int threads = 0;
};

struct Report {
  FileReport input;
  std::optional<FileReport> output;
  std::optional<LatencyReport> latency;
  std::optional<AccuracyReport> accuracy;
  std::optional<MemoryReport> memory;  // measured with the latency
  std::optional<ProfileReport> profile;
  std::optional<SizeReport> size;
  std::optional<ErrorReport> error;
  std::vector<OperatorReport> operators;
  std::vector<PlanStep> plan;
  std::vector<Timing> timing;
  uint64_t peak_rss_bytes = 0;                       // of the executor, mapped input included
  std::optional<uint64_t> transform_peak_rss_bytes;  // the same before the result was run to verify it
  std::vector<std::string> warnings;
  std::optional<GraphReport> graph;
  std::vector<CompatibilityReport> compatibility;  // of the output, every target; rows are not written to report.json
  std::optional<CalibrationReport> calibration;
  std::vector<StageReport> stages;
  std::vector<RuleMatch> rule_matches;
  std::vector<SensitivityReport> sensitivity;
  // What the user must not miss about the result: "slower than the input on this machine: ...". Empty: nothing.
  std::vector<std::string> verdict;
  // What adds most to the error, largest first; empty: not measured.
  std::vector<RankedCause> causes;
  std::vector<WeightHistogram> histograms;  // of the weights that changed, largest first
  Provenance provenance;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_REPORT_H_
