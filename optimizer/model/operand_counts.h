#ifndef LATHE_OPTIMIZER_MODEL_OPERAND_COUNTS_H_
#define LATHE_OPTIMIZER_MODEL_OPERAND_COUNTS_H_

#include <cstddef>

#include "optimizer/model/op_kind.h"

namespace lathe {

// How many operands and results a kind takes, so that passes may index the required ones without asking.
struct OperandCounts {
  OpKind kind;
  size_t inputs_min, inputs_max;
  size_t outputs_min, outputs_max;
  // False: some of the first inputs_min may be left out (-1), as in the LSTM kinds.
  bool inputs_required = true;
};

// Null for kinds without an entry: rare, variadic in ways that matter to nobody here, or custom.
const OperandCounts* FindOperandCounts(OpKind kind);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_OPERAND_COUNTS_H_
