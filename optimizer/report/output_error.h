#ifndef LATHE_OPTIMIZER_REPORT_OUTPUT_ERROR_H_
#define LATHE_OPTIMIZER_REPORT_OUTPUT_ERROR_H_

#include <cstdint>
#include <optional>
#include <string>

namespace lathe {

// One output of a model against the same of another, which it is to be like.
struct OutputError {
  std::string name;
  // 10*log10(sum y^2 / sum (y - q)^2) over all samples and elements; 200 for zero error; absent for a zero signal.
  std::optional<double> sqnr_db;
  // The same with the reference's mean over all samples and elements taken off the signal: an offset that every answer
  // has hides no error. Absent for a constant signal.
  std::optional<double> sqnr_mean_removed_db = std::nullopt;
  // Outputs that rank (one axis of 2 or more values a sample), as shares of the samples: the largest value stands at
  // the same place in both files; the output file has its largest value more than once.
  std::optional<double> argmax_agreement = std::nullopt, argmax_ties = std::nullopt;
  // How many values the figures rest on, all samples together, and the root of their mean square error. Not written to
  // report.json.
  int64_t values = 0;
  double rms_error = 0;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_OUTPUT_ERROR_H_
