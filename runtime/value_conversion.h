#ifndef LATHE_RUNTIME_VALUE_CONVERSION_H_
#define LATHE_RUNTIME_VALUE_CONVERSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "runtime/interpreter.h"
#include "runtime/npy.h"

namespace lathe {

// How integers become real numbers: (value - mean) * scale.
struct IntegerScaling {
  double scale = 1, mean = 0;
  // In place of both, a number for each channel; as many as each other, or none.
  std::vector<double> channel_scale = {}, channel_mean = {};
  size_t channel_stride = 1;  // elements of one channel that lie side by side

  double Apply(double value, size_t channel) const {
    if (channel_scale.empty()) return (value - mean) * scale;
    return (value - channel_mean[channel]) * channel_scale[channel];
  }
};

// Says whether values of type `from` can feed `input` at all, before any is read. INVALID_ARGUMENT: DATA_NEEDS_SCALE or
// DATA_INVALID; the message says what was expected and found, not where.
absl::Status CheckConvertible(NpyType from, const TensorInfo& input, const std::optional<IntegerScaling>& scaling);

// Converts the values of one sample to the input's type:
//   float -> float (rounding), float -> quantized integer (rounded, clamped), integer -> float and integer -> quantized
//   by `scaling`; integer -> integer unchanged when it fits, which for a quantized input without scaling means values
//   that are quantized already.
// INVALID_ARGUMENT (DATA_INVALID): NaN, infinity, a value that does not fit; the message has the element and the value.
// REQUIRES: CheckConvertible is OK; values.size() == elements * SizeOf(from); out.size() == input.size_bytes.
absl::Status ConvertValues(absl::Span<const uint8_t> values, NpyType from, const TensorInfo& input,
                           const std::optional<IntegerScaling>& scaling, absl::Span<uint8_t> out);

// Element i of a file's values, as it lies there. REQUIRES: i is in range.
double NumberAt(NpyType type, absl::Span<const uint8_t> bytes, size_t i);

// The least and the greatest of a file's values. REQUIRES: there is one, and none is NaN.
std::pair<double, double> FindExtremes(NpyType type, absl::Span<const uint8_t> bytes);

// Element i of a tensor as a real number: integers with a scale are dequantized. REQUIRES: i is in range.
double RealValue(const TensorInfo& info, absl::Span<const uint8_t> bytes, size_t i);

// The bytes of one sample of `from` for an interpreter whose input is `to`: equal types are copied, floats quantized,
// quantized integers dequantized. INVALID_ARGUMENT (MODELS_DIFFER): other types or element counts, naming the input.
absl::Status ConvertInput(const TensorInfo& from, absl::Span<const uint8_t> bytes, const TensorInfo& to,
                          std::vector<uint8_t>* out);

}  // namespace lathe

#endif  // LATHE_RUNTIME_VALUE_CONVERSION_H_
