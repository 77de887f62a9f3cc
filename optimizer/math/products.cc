#include "optimizer/math/products.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "common/parallel.h"

namespace lathe::math {
namespace {

constexpr int64_t kRows = 6;         // of a tile of the result: 6 x 16 floats stay in registers
constexpr int64_t kDepth = 256;      // rows of a and b at a time: both panels stay in the first cache
constexpr size_t kTilesOfATask = 8;  // rows of tiles

// GCC's vectors: the compiler splits them where the processor's are narrower.
typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias));

// One tile of the result over `depth` rows of both panels: out[r, :] += sum of a[p, r] * b[p, :].
[[gnu::always_inline]] inline void MultiplyTile(const float* a, const float* b, int64_t depth, float* out) {
  constexpr int64_t kWidth = PackedMatrix::kWidth;
  Vector sums[kRows][2] = {};
  for (int64_t p = 0; p < depth; ++p) {
    const Vector low = *reinterpret_cast<const Vector*>(b + p * kWidth);
    const Vector high = *reinterpret_cast<const Vector*>(b + p * kWidth + 8);
#pragma GCC unroll 6
    for (int64_t r = 0; r < kRows; ++r) {
      const float factor = a[p * kRows + r];
      sums[r][0] += low * factor;
      sums[r][1] += high * factor;
    }
  }
  std::memcpy(out, sums, sizeof(sums));
}

[[gnu::always_inline]] inline void AddScaledLoop(float factor, const float* x, float* y, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    *reinterpret_cast<Vector*>(y + i) += *reinterpret_cast<const Vector*>(x + i) * factor;
  }
  for (; i < count; ++i) y[i] += factor * x[i];
}

[[gnu::always_inline]] inline void AddProductsLoop(const float* x, const float* y, float* sums, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    *reinterpret_cast<Vector*>(sums + i) +=
        *reinterpret_cast<const Vector*>(x + i) * *reinterpret_cast<const Vector*>(y + i);
  }
  for (; i < count; ++i) sums[i] += x[i] * y[i];
}

void MultiplyTileBase(const float* a, const float* b, int64_t depth, float* out) { MultiplyTile(a, b, depth, out); }
void AddScaledBase(float factor, const float* x, float* y, size_t count) { AddScaledLoop(factor, x, y, count); }

void AddProductsBase(const float* x, const float* y, float* sums, size_t count) { AddProductsLoop(x, y, sums, count); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] void MultiplyTileAvx2(const float* a, const float* b, int64_t depth, float* out) {
  MultiplyTile(a, b, depth, out);
}
[[gnu::target("avx2")]] void AddScaledAvx2(float factor, const float* x, float* y, size_t count) {
  AddScaledLoop(factor, x, y, count);
}
[[gnu::target("avx2")]] void AddProductsAvx2(const float* x, const float* y, float* sums, size_t count) {
  AddProductsLoop(x, y, sums, count);
}
const bool kHasAvx2 = __builtin_cpu_supports("avx2");
const auto kMultiplyTile = kHasAvx2 ? MultiplyTileAvx2 : MultiplyTileBase;
const auto kAddScaled = kHasAvx2 ? AddScaledAvx2 : AddScaledBase;
const auto kAddProducts = kHasAvx2 ? AddProductsAvx2 : AddProductsBase;
#else
const auto kMultiplyTile = MultiplyTileBase;
const auto kAddScaled = AddScaledBase;
const auto kAddProducts = AddProductsBase;
#endif

// Columns [first, first + kRows) of rows [begin, end) of `a`, one row after the other; zeros past column m.
void PackTile(absl::Span<const float> a, int64_t m, int64_t first, int64_t begin, int64_t end, float* out) {
  const int64_t count = std::min(kRows, m - first);
  for (int64_t p = begin; p < end; ++p, out += kRows) {
    std::fill(std::copy_n(a.data() + p * m + first, count, out), out + kRows, 0.0f);
  }
}

// Adds the part of a tile that lies inside the result.
void AddTile(const float* tile, int64_t i, int64_t j, int64_t m, int64_t columns, float* out) {
  const int64_t height = std::min(kRows, m - i), width = std::min(PackedMatrix::kWidth, columns - j);
  for (int64_t r = 0; r < height; ++r) {
    float* row = out + (i + r) * columns + j;
    for (int64_t c = 0; c < width; ++c) row[c] += tile[r * PackedMatrix::kWidth + c];
  }
}

}  // namespace

PackedMatrix::PackedMatrix(absl::Span<const float> values, int64_t rows, int64_t columns)
    : rows_(rows), columns_(columns) {
  const int64_t panels = (columns + kWidth - 1) / kWidth;
  panels_.resize(static_cast<size_t>(panels * rows * kWidth));
  ParallelForRanges(static_cast<size_t>(panels), 4, [&](size_t begin, size_t end) {
    for (int64_t index = static_cast<int64_t>(begin); index < static_cast<int64_t>(end); ++index) {
      const int64_t count = std::min(kWidth, columns - index * kWidth);
      float* to = panels_.data() + index * rows * kWidth;
      for (int64_t p = 0; p < rows; ++p)
        std::copy_n(values.data() + p * columns + index * kWidth, count, to + p * kWidth);
    }
  });
}

void AddTransposedProduct(absl::Span<const float> a, int64_t m, const PackedMatrix& b, Part part,
                          absl::Span<float> out) {
  const auto tiles = static_cast<size_t>((m + kRows - 1) / kRows);
  ParallelForRanges(tiles, kTilesOfATask, [&](size_t begin, size_t end) {
    std::vector<float> packed(kDepth * kRows);
    float tile[kRows * PackedMatrix::kWidth];
    for (int64_t p = 0; p < b.rows(); p += kDepth) {
      const int64_t depth = std::min(kDepth, b.rows() - p);
      for (int64_t i = static_cast<int64_t>(begin) * kRows; i < static_cast<int64_t>(end) * kRows; i += kRows) {
        PackTile(a, m, i, p, p + depth, packed.data());
        const int64_t first = part == Part::kUpper ? i / PackedMatrix::kWidth : 0;
        for (int64_t panel = first; panel * PackedMatrix::kWidth < b.columns(); ++panel) {
          kMultiplyTile(packed.data(), b.panel(panel) + p * PackedMatrix::kWidth, depth, tile);
          AddTile(tile, i, panel * PackedMatrix::kWidth, m, b.columns(), out.data());
        }
      }
    }
  });
}

void AddScaled(float factor, absl::Span<const float> x, absl::Span<float> y) {
  kAddScaled(factor, x.data(), y.data(), x.size());
}

void AddProducts(absl::Span<const float> x, absl::Span<const float> y, absl::Span<float> sums) {
  kAddProducts(x.data(), y.data(), sums.data(), sums.size());
}

}  // namespace lathe::math
