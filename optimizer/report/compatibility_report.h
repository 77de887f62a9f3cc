#ifndef LATHE_OPTIMIZER_REPORT_COMPATIBILITY_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_COMPATIBILITY_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace lathe {

// One operator on one target.
struct OperatorCompatibility {
  int subgraph = 0, index = 0;
  std::string kind, name;  // as OperatorReport
  bool accepted = false;
  std::string reason;  // why it is not; "" when it is
  uint64_t macs = 0;   // multiply-adds of one run; 0 where the kind has none or shapes are unknown
};

// A model on one target, by rules that look at the file alone.
struct CompatibilityReport {
  std::string target;                // cpu, gpu, edge-tpu, microcontroller
  std::string description;           // what the target stands for, and what becomes of operators that it does not take
  bool compatible = false;           // the whole model runs there
  std::vector<std::string> reasons;  // what is not taken and why, most operators first: "2 x SOFTMAX: ..."
  int operators = 0, accepted_operators = 0;
  double operator_share = 1;  // accepted of all; 1 for none
  uint64_t macs = 0, accepted_macs = 0;
  double mac_share = 1;
  std::vector<std::string> sources;         // where the rules come from
  std::vector<OperatorCompatibility> rows;  // in execution order
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_COMPATIBILITY_REPORT_H_
