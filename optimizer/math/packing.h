#ifndef LATHE_OPTIMIZER_MATH_PACKING_H_
#define LATHE_OPTIMIZER_MATH_PACKING_H_

// How the file holds integers below a byte: two's complement, element 0 in the lowest bits, no padding between rows; an
// unfinished last byte is filled with 0 (quantization specification, packing of sub-byte weights).

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace lathe::math {

// Bytes that `count` values of `bits` take. REQUIRES: bits is 8, 4 or 2.
constexpr size_t PackedBytes(size_t count, int bits) {
  const size_t each = static_cast<size_t>(8 / bits);
  return (count + each - 1) / each;
}

// Values of 8, 4 or 2 bits, one byte each, into their packed form. The lowest `bits` of each value are kept.
// REQUIRES: out.size() == PackedBytes(levels.size(), bits). Thread-safe; touches nothing but `out`.
void PackLevels(absl::Span<const int8_t> levels, int bits, absl::Span<uint8_t> out);

// The reverse, with the sign restored. REQUIRES: packed.size() == PackedBytes(levels.size(), bits).
void UnpackLevels(absl::Span<const uint8_t> packed, int bits, absl::Span<int8_t> levels);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_PACKING_H_
