#include "runtime/output_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/value_conversion.h"

namespace lathe {

namespace {

constexpr double kSqnrOfEqualDb = 200;

absl::Status NotFinite(const char* model, const TensorInfo& output, size_t sample) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_FINITE",
                   absl::StrFormat("output '%s' of the %s model is NaN or infinite on sample %d", DisplayName(output),
                                   model, sample));
}

bool Ranks(const TensorInfo& info) {
  return info.elements >= 2 && std::find(info.shape.begin(), info.shape.end(), info.elements) != info.shape.end();
}

size_t ArgMax(const OutputValues& output) {
  size_t best = 0;
  for (size_t i = 1; i < static_cast<size_t>(output.info.elements); ++i) {
    if (RealValue(output.info, output.bytes, i) > RealValue(output.info, output.bytes, best)) best = i;
  }
  return best;
}

// How often the value at `index` comes.
size_t CountValue(const OutputValues& output, size_t index) {
  size_t count = 0;
  for (size_t i = 0; i < static_cast<size_t>(output.info.elements); ++i) {
    if (RealValue(output.info, output.bytes, i) == RealValue(output.info, output.bytes, index)) ++count;
  }
  return count;
}

}  // namespace

std::optional<double> SqnrDb(double signal, double noise) {
  if (noise == 0 && signal > 0) return kSqnrOfEqualDb;
  if (signal == 0) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

absl::StatusOr<OutputSums> SumOutput(const OutputValues& reference, const OutputValues& other, size_t sample) {
  OutputSums sums;
  sums.elements = reference.info.elements;
  for (size_t i = 0; i < static_cast<size_t>(sums.elements); ++i) {
    const double y = RealValue(reference.info, reference.bytes, i), q = RealValue(other.info, other.bytes, i);
    sums.signal += y * y;
    sums.sum += y;
    sums.noise += (y - q) * (y - q);
  }
  if (!std::isfinite(sums.signal)) return NotFinite("input", reference.info, sample);
  if (!std::isfinite(sums.noise)) return NotFinite("optimized", other.info, sample);
  sums.ranks = Ranks(reference.info);
  if (sums.ranks) {
    const size_t best = ArgMax(other);
    sums.same_argmax = best == ArgMax(reference);
    sums.ties = CountValue(other, best) > 1;
  }
  return sums;
}

OutputError MakeOutputError(const TensorInfo& output, absl::Span<const OutputSums> samples) {
  OutputSums total;
  size_t ranked = 0, same = 0, ties = 0;
  for (const OutputSums& sums : samples) {
    total.signal += sums.signal;
    total.sum += sums.sum;
    total.noise += sums.noise;
    total.elements += sums.elements;
    ranked += sums.ranks ? 1 : 0;
    same += sums.same_argmax ? 1 : 0;
    ties += sums.ties ? 1 : 0;
  }
  OutputError error;
  error.name = DisplayName(output);
  error.values = total.elements;
  if (total.elements > 0) error.rms_error = std::sqrt(total.noise / static_cast<double>(total.elements));
  error.sqnr_db = SqnrDb(total.signal, total.noise);
  if (total.elements > 0) {
    const double varying = total.signal - total.sum * total.sum / static_cast<double>(total.elements);
    // What is left of a constant is what the sums have lost to rounding.
    error.sqnr_mean_removed_db = SqnrDb(varying > 1e-12 * total.signal ? varying : 0, total.noise);
  }
  if (ranked > 0) {
    error.argmax_agreement = static_cast<double>(same) / static_cast<double>(ranked);
    error.argmax_ties = static_cast<double>(ties) / static_cast<double>(ranked);
  }
  return error;
}

}  // namespace lathe
