#ifndef LATHE_EXECUTOR_OPERATOR_CAUSES_H_
#define LATHE_EXECUTOR_OPERATOR_CAUSES_H_

#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/compared_operators.h"
#include "optimizer/passes/float_probe.h"
#include "optimizer/report/comparison.h"
#include "runtime/operator_errors.h"

namespace lathe {

// "float32", "int8", ... of an operator of b by its index; "" for an index that is not there.
class OperatorPrecisions {
 public:
  explicit OperatorPrecisions(const Model& model);
  std::string Of(OpId op) const;

 private:
  std::vector<std::string> by_index_;  // of subgraph 0
};

// How an operator is named. `op` is in subgraph 0; its index is the one in the file (Op::origin where it has one).
OperatorRef MakeOperatorRef(const Model& model, OpId op);

// What was measured at one place, in words and dB.
OperatorComparison MakeOperatorComparison(const Model& a, const Model& b, const ComparedOperator& place,
                                          const ProbedPlace& probed, const OperatorErrors& errors,
                                          const OperatorPrecisions& precisions);

// All operators' own causes, largest noise relative to the operator's signal first; equal ones in order of execution.
std::vector<RankedCause> RankCauses(const std::vector<OperatorComparison>& operators);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_OPERATOR_CAUSES_H_
