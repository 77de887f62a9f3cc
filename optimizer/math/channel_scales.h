#ifndef LATHE_OPTIMIZER_MATH_CHANNEL_SCALES_H_
#define LATHE_OPTIMIZER_MATH_CHANNEL_SCALES_H_

// Kernels of cross-layer equalization: how large the weights of each channel are, and weights moved from one side of an
// activation to the other. Thread-safe: they touch nothing but their arguments.

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace lathe::math {

// Weights seen as output channels (rows) by input channels (columns), with `taps` values for each pair: the positions
// of a convolution's kernel. Two orders of memory:
//   rows first (CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED): data[(row * taps + tap) * depth + i], depth = columns /
//     groups; row r belongs to convolution group r / (rows / groups) and meets column group * depth + i;
//   depthwise (DEPTHWISE_CONV_2D, multiplication by a constant): data[tap * rows + row], which meets one column only,
//     row / (rows / columns).
struct WeightGrid {
  int64_t rows = 0, taps = 1, columns = 0;
  int64_t groups = 1;
  bool depthwise = false;

  int64_t depth() const { return columns / groups; }
  int64_t size() const { return depthwise ? rows * taps : rows * taps * depth(); }
};

// A grid without taps: the largest magnitude over the taps of each pair of row and column, in the order of `grid` with
// taps = 1. REQUIRES: weights.size() == grid.size().
std::vector<float> LargestOverTaps(absl::Span<const float> weights, const WeightGrid& grid);

// For each row, the largest magnitude * column_scale[column]; for each column, the largest magnitude * row_scale[row].
// `largest` is what LargestOverTaps gave, or the weights themselves where grid.taps is 1. REQUIRES: one scale for each
// column (row), one result for each row (column).
void LargestOfRows(absl::Span<const float> largest, const WeightGrid& grid, absl::Span<const float> column_scale,
                   absl::Span<float> result);
void LargestOfColumns(absl::Span<const float> largest, const WeightGrid& grid, absl::Span<const float> row_scale,
                      absl::Span<float> result);

// out = weight * column_scale[column] * row_scale[row], multiplied in double. REQUIRES: as above; out.size() ==
// weights.size() == grid.size().
void ScaleWeights(absl::Span<const float> weights, const WeightGrid& grid, absl::Span<const float> row_scale,
                  absl::Span<const float> column_scale, absl::Span<float> out);

// result[row] = sum over taps and columns of weight * column_value[column], in double: what a constant added to the
// input channels adds to the outputs. REQUIRES: as above.
void SumOfRows(absl::Span<const float> weights, const WeightGrid& grid, absl::Span<const float> column_value,
               absl::Span<double> result);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_CHANNEL_SCALES_H_
