#ifndef LATHE_OPTIMIZER_PASSES_COMPARED_OPERATORS_H_
#define LATHE_OPTIMIZER_PASSES_COMPARED_OPERATORS_H_

#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/align_operators.h"

namespace lathe {

// One place of a network where two files of it are compared: an operator of both, with what one file has fused or
// folded into it and the other keeps beside it, or a conversion that only b has.
struct ComparedOperator {
  // a's operators in execution order: a PAD that b does not have, the operator itself, a RELU that b has fused. Empty:
  // the place is a QUANTIZE of b, or an input of b that is quantized.
  std::vector<OpId> chain;
  OpId a, b;  // the operator itself; invalid where there is none

  // Tensors to compare, paired by position.
  std::vector<TensorId> a_outputs, b_outputs;

  // Operands that carry data: which of chain.front()'s or, in the middle of a chain, of the operator's operands, and
  // the tensors that hold it.
  struct DataOperand {
    OpId reader;  // of a
    size_t position;
    TensorId a, b;
  };
  std::vector<DataOperand> data;
  // Why a's operator cannot be computed on b's data, "" when it can.
  std::string why_not;
};

struct ComparedModels {
  std::vector<ComparedOperator> operators;  // in b's execution order; quantized inputs first
  std::vector<OpId> only_a, only_b;         // operators that have no counterpart and are not part of another's chain
};

// What of two models can be compared. Conversions in b whose input has a counterpart in a are places of their own:
// they round. DEQUANTIZE rounds nothing and is passed over, and so are operators on constants. REQUIRES: inputs and
// outputs of both pair up.
ComparedModels FindComparedOperators(const Model& a, const Model& b);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_COMPARED_OPERATORS_H_
