#ifndef LATHE_OPTIMIZER_PASSES_STORED_CONSTANT_H_
#define LATHE_OPTIMIZER_PASSES_STORED_CONSTANT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"

namespace lathe {

// A constant of any storage as real numbers, with the grid that it is stored on.
struct StoredConstant {
  TensorId tensor;                         // that holds the bytes
  TensorType type = TensorType::kFloat32;  // of the bytes
  std::vector<int32_t> shape;
  std::vector<float> values;  // dense, in the tensor's order

  // Scales and zero points of integers: `layout.channels` of them, or one, or with block_size > 0 one for each block of
  // a row. Empty for floats.
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  math::ChannelLayout layout;
  int32_t block_size = 0;

  // Which of the scales element i has. REQUIRES: !scales.empty().
  size_t ScaleIndex(size_t i) const;
  // The smallest and largest number that an element with this scale can hold; for FLOAT16 those of the type, infinite
  // for FLOAT32. Integers use the levels that Lathe writes, and the lowest one if the constant does.
  struct Limits {
    double low, high;
  };
  Limits LimitsOf(size_t scale_index) const;
  int64_t lowest_level = 0;  // integers: the lowest level in use or that Lathe would use
};

// The constant behind an operand: itself, or what DEQUANTIZE and DENSIFY make of one. Invalid: the operand is left out
// or computed from data. REQUIRES: `uses` is of `subgraph`.
TensorId FindStoredConstant(const Model& model, const Subgraph& subgraph, const UseMap& uses, TensorId operand);

// Reads it: floats of 32 and 16 bits, integers of 2 to 64 bits with one scale, one a channel or one a block, sparse
// ones too. Nullopt: there is none, integers without scales (indices, shapes), other types, or values that are not
// finite.
std::optional<StoredConstant> ReadStoredConstant(const Model& model, const Subgraph& subgraph, const UseMap& uses,
                                                 TensorId operand);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_STORED_CONSTANT_H_
