#ifndef LATHE_OPTIMIZER_MATH_PATCHES_H_
#define LATHE_OPTIMIZER_MATH_PATCHES_H_

// The patches of NHWC data that a convolution multiplies with its weights, as rows of a matrix (im2col).

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace lathe::math {

// One dimension of a convolution, height or width. Positions outside [0, size) count as 0.
struct Window {
  int64_t size = 1;    // of the data
  int64_t filter = 1;  // taps
  int64_t stride = 1, dilation = 1;
  int64_t pad_before = 0;
  int64_t outputs = 1;
};

// Padding and output size as LiteRT computes them: SAME gives ceil(size / stride) outputs and the smaller half of the
// padding before, VALID only outputs whose taps all lie inside. Nullopt: a number below 1, or no output at all.
std::optional<Window> MakeWindow(int64_t size, int64_t filter, int64_t stride, int64_t dilation, bool same_padding);

struct PatchGeometry {
  int64_t batches = 1, channels = 1;
  Window rows, columns;
  int64_t positions() const { return batches * rows.outputs * columns.outputs; }
  // Values of a patch, in the order of one output channel's weights: height, width, channel.
  int64_t patch_size() const { return rows.filter * columns.filter * channels; }
  int64_t data_size() const { return batches * rows.size * columns.size * channels; }
};

// `count` of the positions, increasing, one drawn from each of `count` equal parts; all of them when there are no more.
// The same for the same arguments everywhere.
std::vector<int64_t> ChoosePositions(int64_t positions, int64_t count, uint64_t seed);

// Row i of `out` is the patch at positions[i] (batch, row, column of the output in row-major order). REQUIRES:
// data.size() == data_size(); positions in range; out.size() == positions.size() * patch_size().
void GatherPatches(absl::Span<const float> data, const PatchGeometry& geometry, absl::Span<const int64_t> positions,
                   absl::Span<float> out);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_PATCHES_H_
