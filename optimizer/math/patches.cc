#include "optimizer/math/patches.h"

#include <algorithm>
#include <numeric>

namespace lathe::math {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a good hash of a counter.
uint64_t Hash(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Where tap `tap` of output `output` reads, or -1 in the padding.
int64_t SourceOf(const Window& window, int64_t output, int64_t tap) {
  const int64_t at = output * window.stride + tap * window.dilation - window.pad_before;
  return at >= 0 && at < window.size ? at : -1;
}

void GatherPatch(absl::Span<const float> data, const PatchGeometry& geometry, int64_t position, float* out) {
  const int64_t column = position % geometry.columns.outputs, rest = position / geometry.columns.outputs;
  const int64_t row = rest % geometry.rows.outputs, batch = rest / geometry.rows.outputs;
  for (int64_t y = 0; y < geometry.rows.filter; ++y) {
    const int64_t from_row = SourceOf(geometry.rows, row, y);
    for (int64_t x = 0; x < geometry.columns.filter; ++x, out += geometry.channels) {
      const int64_t from_column = SourceOf(geometry.columns, column, x);
      if (from_row < 0 || from_column < 0) {
        std::fill_n(out, geometry.channels, 0.0f);
        continue;
      }
      const int64_t pixel = (batch * geometry.rows.size + from_row) * geometry.columns.size + from_column;
      std::copy_n(data.data() + pixel * geometry.channels, geometry.channels, out);
    }
  }
}

}  // namespace

std::optional<Window> MakeWindow(int64_t size, int64_t filter, int64_t stride, int64_t dilation, bool same_padding) {
  if (size < 1 || filter < 1 || stride < 1 || dilation < 1) return std::nullopt;
  Window window{.size = size, .filter = filter, .stride = stride, .dilation = dilation};
  const int64_t extent = (filter - 1) * dilation + 1;
  if (same_padding) {
    window.outputs = (size + stride - 1) / stride;
    window.pad_before = std::max<int64_t>((window.outputs - 1) * stride + extent - size, 0) / 2;
  } else {
    if (size < extent) return std::nullopt;
    window.outputs = (size - extent) / stride + 1;
  }
  return window;
}

std::vector<int64_t> ChoosePositions(int64_t positions, int64_t count, uint64_t seed) {
  std::vector<int64_t> chosen(static_cast<size_t>(std::min(positions, count)));
  if (positions <= count) {
    std::iota(chosen.begin(), chosen.end(), 0);
    return chosen;
  }
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = i * positions / count, end = (i + 1) * positions / count;
    const uint64_t offset = Hash(Hash(seed) + static_cast<uint64_t>(i)) % static_cast<uint64_t>(end - begin);
    chosen[static_cast<size_t>(i)] = begin + static_cast<int64_t>(offset);
  }
  return chosen;
}

void GatherPatches(absl::Span<const float> data, const PatchGeometry& geometry, absl::Span<const int64_t> positions,
                   absl::Span<float> out) {
  float* row = out.data();
  for (int64_t position : positions) {
    GatherPatch(data, geometry, position, row);
    row += geometry.patch_size();
  }
}

}  // namespace lathe::math
