#include "optimizer/math/channel_scales.h"

#include <algorithm>
#include <cmath>

#include "common/parallel.h"

namespace lathe::math {
namespace {

// Rows of one task: enough work to pay for the task, and the same split for any number of threads.
constexpr size_t kRowsOfTask = 16;

size_t Size(int64_t value) { return static_cast<size_t>(value); }

// Index of the first column that a row meets.
size_t FirstColumn(const WeightGrid& grid, size_t row) {
  if (grid.depthwise) return row / (Size(grid.rows) / Size(grid.columns));
  return row / (Size(grid.rows) / Size(grid.groups)) * Size(grid.depth());
}

}  // namespace

std::vector<float> LargestOverTaps(absl::Span<const float> weights, const WeightGrid& grid) {
  const size_t rows = Size(grid.rows), taps = Size(grid.taps), depth = grid.depthwise ? 1 : Size(grid.depth());
  std::vector<float> largest(rows * depth, 0.0f);
  if (grid.depthwise) {
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t row = 0; row < rows; ++row)
        largest[row] = std::max(largest[row], std::fabs(weights[tap * rows + row]));
    }
    return largest;
  }
  ParallelForRanges(rows, kRowsOfTask, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      float* out = &largest[row * depth];
      const float* in = &weights[row * taps * depth];
      for (size_t i = 0; i < taps * depth; i += depth) {
        for (size_t k = 0; k < depth; ++k) out[k] = std::max(out[k], std::fabs(in[i + k]));
      }
    }
  });
  return largest;
}

void LargestOfRows(absl::Span<const float> largest, const WeightGrid& grid, absl::Span<const float> column_scale,
                   absl::Span<float> result) {
  const size_t depth = grid.depthwise ? 1 : Size(grid.depth());
  for (size_t row = 0; row < result.size(); ++row) {
    const float* values = &largest[row * depth];
    const float* scales = &column_scale[FirstColumn(grid, row)];
    float most = 0;
    for (size_t k = 0; k < depth; ++k) most = std::max(most, std::fabs(values[k]) * scales[k]);
    result[row] = most;
  }
}

void LargestOfColumns(absl::Span<const float> largest, const WeightGrid& grid, absl::Span<const float> row_scale,
                      absl::Span<float> result) {
  const size_t depth = grid.depthwise ? 1 : Size(grid.depth());
  std::fill(result.begin(), result.end(), 0.0f);
  for (size_t row = 0; row < row_scale.size(); ++row) {
    const float* values = &largest[row * depth];
    float* most = &result[FirstColumn(grid, row)];
    for (size_t k = 0; k < depth; ++k) most[k] = std::max(most[k], std::fabs(values[k]) * row_scale[row]);
  }
}

void ScaleWeights(absl::Span<const float> weights, const WeightGrid& grid, absl::Span<const float> row_scale,
                  absl::Span<const float> column_scale, absl::Span<float> out) {
  const auto scaled = [](float weight, double row, float column) {
    return static_cast<float>(static_cast<double>(weight) * row * static_cast<double>(column));
  };
  const size_t rows = Size(grid.rows), taps = Size(grid.taps);
  if (grid.depthwise) {
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t row = i % rows;
      out[i] = scaled(weights[i], row_scale[row], column_scale[FirstColumn(grid, row)]);
    }
    return;
  }
  const size_t depth = Size(grid.depth());
  ParallelForRanges(rows, kRowsOfTask, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const float* scales = &column_scale[FirstColumn(grid, row)];
      for (size_t i = row * taps * depth; i < (row + 1) * taps * depth; i += depth) {
        for (size_t k = 0; k < depth; ++k) out[i + k] = scaled(weights[i + k], row_scale[row], scales[k]);
      }
    }
  });
}

void SumOfRows(absl::Span<const float> weights, const WeightGrid& grid, absl::Span<const float> column_value,
               absl::Span<double> result) {
  std::fill(result.begin(), result.end(), 0.0);
  const size_t rows = Size(grid.rows), taps = Size(grid.taps);
  const size_t depth = grid.depthwise ? 1 : Size(grid.depth());
  for (size_t row = 0; row < rows; ++row) {
    const float* values = &column_value[FirstColumn(grid, row)];
    for (size_t tap = 0; tap < taps; ++tap) {
      const float* in = grid.depthwise ? &weights[tap * rows + row] : &weights[(row * taps + tap) * depth];
      for (size_t k = 0; k < depth; ++k) {
        result[row] += static_cast<double>(in[k]) * static_cast<double>(values[k]);
      }
    }
  }
}

}  // namespace lathe::math
