#ifndef LATHE_OPTIMIZER_RECIPE_GATE_H_
#define LATHE_OPTIMIZER_RECIPE_GATE_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace lathe {

// A condition on the result of a job: a number of report.json held against a threshold. docs/gates.md has the grammar.
struct Gate {
  enum class Operator { kLessOrEqual, kGreaterOrEqual, kLess, kGreater };
  std::string metric;  // a path in report.json: output.bytes, error.outputs[0].sqnr_db
  Operator op = Operator::kLessOrEqual;
  std::optional<double> factor;  // of the input's value; nothing: the threshold is `offset` alone
  double offset = 0;
  bool points = false;  // `offset` counts hundredths where the metric is a fraction

  bool operator==(const Gate&) const = default;
};

// GATE      = PATH ("<=" | ">=" | "<" | ">") THRESHOLD
// THRESHOLD = NUMBER [UNIT] | [NUMBER "*"] INPUT [("+" | "-") NUMBER [UNIT]]
// INPUT     = "input" | the path of the input's value (InputPath)
// UNIT      = point[s] (accuracy.*), kB, MB, GB, KiB, MiB, GiB (paths of bytes), ms (paths that end so), dB (paths that
//             end in _db, and accuracy.*)
// INVALID_ARGUMENT USAGE: anything else, saying what was expected.
absl::StatusOr<Gate> ParseGate(std::string_view text);

// The gate as ParseGate reads it.
std::string GateText(const Gate& gate);

// Where the report has the input's value of a metric: accuracy.output -> accuracy.input, latency.output_ms ->
// latency.input_ms. Nothing when the input has none.
std::optional<std::string> InputPath(const std::string& metric);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_GATE_H_
