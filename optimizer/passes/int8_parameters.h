#ifndef LATHE_OPTIMIZER_PASSES_INT8_PARAMETERS_H_
#define LATHE_OPTIMIZER_PASSES_INT8_PARAMETERS_H_

#include <optional>
#include <string>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Which operators of subgraph 0 become int8, and the scale and zero point of every activation that they read or write.
struct Int8Plan {
  std::vector<bool> is_int8;  // by operator
  // By tensor: the parameters of its int8 form. Set for every activation an int8 operator touches.
  std::vector<std::optional<math::AffineParams>> params;
  std::vector<std::string> warnings;

  // What an int8 operator wants its data operand in: the tensor's own parameters, or the output's where all data
  // operands share them.
  math::AffineParams WantedBy(const Op& op, TensorId operand) const;
};

// Decides operator by operator in execution order (so that a pooling takes what its input got), then lets the producer
// of a tensor that only a same-scale operator reads write that operator's scale, which saves a requantization.
// An operator whose activations were never observed stays float, with a warning.
// REQUIRES: `ranges` holds what calibration saw of this very model.
Int8Plan PlanInt8(const Model& model, const RangeTable& ranges, const QuantizeSettings& settings);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INT8_PARAMETERS_H_
