#include "optimizer/math/packing.h"

#include <algorithm>

#include "common/parallel.h"

namespace lathe::math {
namespace {

constexpr size_t kGrain = size_t{1} << 16;  // bytes a task writes

}  // namespace

void PackLevels(absl::Span<const int8_t> levels, int bits, absl::Span<uint8_t> out) {
  if (bits == 8) {
    std::transform(levels.begin(), levels.end(), out.begin(), [](int8_t level) { return static_cast<uint8_t>(level); });
    return;
  }
  const size_t each = static_cast<size_t>(8 / bits);
  const uint32_t mask = (uint32_t{1} << bits) - 1;
  if (bits == 4 && levels.size() == 2 * out.size()) {  // the usual case, in a loop without branches
    ParallelForRanges(out.size(), kGrain, [&](size_t begin, size_t end) {
      for (size_t byte = begin; byte < end; ++byte) {
        const auto low = static_cast<uint8_t>(levels[2 * byte]), high = static_cast<uint8_t>(levels[2 * byte + 1]);
        out[byte] = static_cast<uint8_t>((low & 0x0Fu) | (static_cast<uint32_t>(high) << 4));
      }
    });
    return;
  }
  ParallelForRanges(out.size(), kGrain, [&](size_t begin, size_t end) {
    for (size_t byte = begin; byte < end; ++byte) {
      const size_t count = std::min(each, levels.size() - byte * each);
      uint32_t packed = 0;
      for (size_t i = 0; i < count; ++i) {
        const uint32_t level = static_cast<uint8_t>(levels[byte * each + i]);
        packed |= (level & mask) << (i * static_cast<size_t>(bits));
      }
      out[byte] = static_cast<uint8_t>(packed);
    }
  });
}

void UnpackLevels(absl::Span<const uint8_t> packed, int bits, absl::Span<int8_t> levels) {
  const size_t each = static_cast<size_t>(8 / bits);
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto position = static_cast<int>(i % each) * bits;
    const auto raised = static_cast<uint8_t>(packed[i / each] << (8 - bits - position));  // sign to the top
    levels[i] = static_cast<int8_t>(static_cast<int8_t>(raised) >> (8 - bits));
  }
}

}  // namespace lathe::math
