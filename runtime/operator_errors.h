#ifndef LATHE_RUNTIME_OPERATOR_ERRORS_H_
#define LATHE_RUNTIME_OPERATOR_ERRORS_H_

// Measures, operator by operator, where the values of a quantized model leave those of its reference.
//
// For one operator let y be the reference's output, q the candidate's (dequantized), x the data that the candidate's
// operator read (dequantized), f the operator in float with its fused activation, and W, b the reference's and V, c the
// candidate's constants as real numbers. What the candidate does wrong is a sum of steps:
//   q - y = [f(x, W, b) - y]              accumulated: its data are off already
//         + [f(x, V, b) - f(x, W, b)]     weights
//         + [f(x, V, c) - f(x, V, b)]     bias
//         + [clamp(v) - v]                activation clipping, v = f(x, V, c), clamp to what q's type and scale can
//         hold
//         + [q - clamp(v)]                activation rounding, of what the kernel does inside too
// The power of each step is summed over elements and samples; powers of steps that depend on each other do not add up.
// A probe is a model that computes the f's. Where the candidate holds values in other units by channel (equalization),
// everything is divided by the factors first, so that powers are those of the reference's units.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "runtime/samples.h"

namespace lathe {

// What is measured for one operator. Tensors are of subgraph 0 and readable as numbers; lists of outputs are paired.
struct MeasuredOperator {
  std::vector<TensorId> reference_outputs, candidate_outputs;
  std::vector<TensorId> candidate_inputs;  // what the probe's inputs are fed with
  std::vector<size_t> probe_inputs;        // of the probe; as many
  // Outputs of the probe: f(x, W, b), f(x, V, b), f(x, V, c). Empty: the same as the one before. All empty: the
  // operator is not split, unless it is a conversion.
  std::vector<size_t> own, weights, all;
  // It only stores values in another form: v is candidate_inputs[0], or the reference's output if there is none.
  bool conversion = false;
  std::vector<float> factors;  // by last dimension; empty: 1
  size_t weight_channels = 1;  // parts of the last dimension that the power of the weights' step is summed by
};

// Sums over all samples and elements; means and shares are the reader's.
struct OperatorErrors {
  double signal = 0;   // y^2
  double total = 0;    // (q - y)^2
  bool split = false;  // the following were measured
  double accumulated = 0;
  std::vector<double> weights, channel_signal;  // by channel: the weights' step, and y^2
  double bias = 0;
  double weights_and_bias = 0;             // (f(x, V, c) - f(x, W, b))^2
  double without_bias = 0, with_bias = 0;  // (f(x, V, b) - y)^2 and (f(x, V, c) - y)^2
  double clipping = 0, rounding = 0;
  int64_t elements = 0, clipped = 0;
  // Of v, in the candidate's units, and what q can hold (infinite for floats).
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  double grid_low = -std::numeric_limits<double>::infinity(), grid_high = std::numeric_limits<double>::infinity();
};

struct OperatorErrorOptions {
  int threads = 1;
  CancelToken cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // samples
  // Where copies of the models are written for the time of the call.
  std::string scratch_dir;
};

// Runs the three models on every sample, one sample at a time, and keeps sums only. `probe` may have no operators. The
// samples fit `reference`. Same figures for any thread count where the runtime computes the same. Operators whose
// values turn out to have other sizes than the probe's are not split; those with values that are not finite have no
// sums (0). INVALID_ARGUMENT: DATA_INVALID as SampleSource; MODELS_DIFFER: inputs that do not pair up.
// FAILED_PRECONDITION (RUNTIME_*) as Interpreter, of any of the three. CANCELLED.
absl::StatusOr<std::vector<OperatorErrors>> MeasureOperatorErrors(const Model& reference, const Model& candidate,
                                                                  const Model& probe,
                                                                  absl::Span<const MeasuredOperator> operators,
                                                                  SampleSource& samples,
                                                                  const OperatorErrorOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_OPERATOR_ERRORS_H_
