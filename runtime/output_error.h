#ifndef LATHE_RUNTIME_OUTPUT_ERROR_H_
#define LATHE_RUNTIME_OUTPUT_ERROR_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/report/report.h"  // OutputError
#include "runtime/interpreter.h"

namespace lathe {

// What one sample adds to the figures of one output: y is the reference's value, q the other model's.
struct OutputSums {
  double signal = 0;  // sum y^2
  double sum = 0;     // sum y
  double noise = 0;   // sum (y - q)^2
  int64_t elements = 0;
  bool ranks = false;  // the output has one axis of 2 or more values, and the next two say something
  bool same_argmax = false, ties = false;
};

// An output as one model gave it.
struct OutputValues {
  const TensorInfo& info;
  absl::Span<const uint8_t> bytes;
};

// FAILED_PRECONDITION: OUTPUT_NOT_FINITE, naming model, output and sample. REQUIRES: equal numbers of elements.
absl::StatusOr<OutputSums> SumOutput(const OutputValues& reference, const OutputValues& other, size_t sample);

// The figures of one output over the samples' sums, taken in order.
OutputError MakeOutputError(const TensorInfo& output, absl::Span<const OutputSums> samples);

// 10*log10(signal / noise), 200 without noise, nothing without signal. REQUIRES: both >= 0 and finite.
std::optional<double> SqnrDb(double signal, double noise);

}  // namespace lathe

#endif  // LATHE_RUNTIME_OUTPUT_ERROR_H_
