#ifndef LATHE_EXECUTOR_CAUSE_ADVICE_H_
#define LATHE_EXECUTOR_CAUSE_ADVICE_H_

#include <string>

#include "optimizer/passes/float_probe.h"
#include "optimizer/report/comparison.h"
#include "runtime/operator_errors.h"

namespace lathe {

// What advice depends on besides the cause.
struct AdviceFacts {
  OperatorRef op;           // as rules name it: of the float file where it is known
  std::string precision;    // of b's operator
  bool has_scales = false;  // b's outputs are integers with a scale
  TensorType weight_type = TensorType::kFloat32;
  bool weight_scale_shared = false;
  double used_share = 1;                 // of the output's range, what values were seen in
  double range_low = 0, range_high = 0;  // the output's range, where has_scales
};

// The one setting of Lathe's recipe or command to try next against `cause`, as a sentence. Never "".
std::string AdviceFor(ErrorCause cause, const AdviceFacts& facts);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_CAUSE_ADVICE_H_
