#ifndef LATHE_OPTIMIZER_REPORT_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_REPORT_H_

// What one job found out, as plain data; wire/ turns it into lathe.v1.Report and report.json. A group that was not
// measured is absent (nullopt or empty); inside a measured group every field is set.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  int input_runs = 0, output_runs = 0;
  int threads = 1;
};

struct OutputError {
  std::string name;
  // 10*log10(sum y^2 / sum (y - q)^2) over all samples and elements; 200 for zero error; absent for a zero signal.
  std::optional<double> sqnr_db;
};

struct ErrorReport {
  bool synthetic = false;  // samples made from the seed, not given by the user
  uint64_t samples = 0;
  std::vector<OutputError> outputs;  // in the model's order
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
  std::optional<ErrorReport> error;
  std::vector<OperatorReport> operators;
  std::vector<PlanStep> plan;
  std::vector<Timing> timing;
  uint64_t peak_rss_bytes = 0;  // of the executor, mapped input included
  std::vector<std::string> warnings;
  Provenance provenance;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_REPORT_H_
