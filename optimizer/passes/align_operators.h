#ifndef LATHE_OPTIMIZER_PASSES_ALIGN_OPERATORS_H_
#define LATHE_OPTIMIZER_PASSES_ALIGN_OPERATORS_H_

#include <utility>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"

namespace lathe {

// Which operators of two files of one network are the same, by what the files hold alone.
struct OperatorAlignment {
  std::vector<std::pair<OpId, OpId>> pairs;  // of a and of b, ascending in both
  std::vector<OpId> only_a, only_b;          // without a counterpart; conversions are not among them
};

// QUANTIZE, DEQUANTIZE and DENSIFY: how values are stored, not what is computed.
bool IsConversion(const Op& op);

// For each tensor, whether it holds the same on every sample: constants, and what operators make of constants alone.
std::vector<bool> FindConstantTensors(const Model& model, const Subgraph& subgraph);

// Aligns the operators of subgraph 0 in execution order (the longest common sequence by weight: Needleman and Wunsch,
// 1970, without a price for gaps). Two operators can be one if they are of one kind, have as many outputs of as many
// elements, and constant operands of one shape; equal names of the first output and equal shapes speak for it.
// Conversions and operators on constants alone are passed over. Of files with so many operators that the whole table
// would pass 32 MiB only what lies near the diagonal is looked at. Neither model needs metadata or names.
OperatorAlignment AlignOperators(const Model& a, const Model& b);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_ALIGN_OPERATORS_H_
