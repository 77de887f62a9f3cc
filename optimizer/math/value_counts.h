#ifndef LATHE_OPTIMIZER_MATH_VALUE_COUNTS_H_
#define LATHE_OPTIMIZER_MATH_VALUE_COUNTS_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace lathe {

struct ValueCounts {
  uint64_t values = 0;
  uint64_t zeros = 0;
  // How many different bit patterns there are. Absent above kDistinctMax of 32 and 64 bits.
  std::optional<uint64_t> distinct;
  // Shannon's entropy of the patterns, bits a value. Absent with `distinct`.
  std::optional<double> entropy_bits;
};

inline constexpr uint64_t kDistinctMax = 4096;

// Counts the little-endian values of `bits` (2, 4, 8, 16, 32 or 64) in `bytes`; a last incomplete one is left out.
// `zero` is the pattern that stands for zero; with `is_float` (16, 32, 64 bits) both zeros count, whatever `zero` says.
// Parallel; the same for any thread count. About 1 ns a value of 8 bits on one core, less for wider ones.
// REQUIRES: bits is one of those.
ValueCounts CountValues(absl::Span<const uint8_t> bytes, int bits, uint64_t zero, bool is_float);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MATH_VALUE_COUNTS_H_
