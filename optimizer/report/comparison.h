#ifndef LATHE_OPTIMIZER_REPORT_COMPARISON_H_
#define LATHE_OPTIMIZER_REPORT_COMPARISON_H_

// What a comparison of two files of one network found: where their values part, and why.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimizer/report/output_error.h"

namespace lathe {

enum class ErrorCause {
  kWeightRounding,      // weights rounded to their scale
  kWeightRange,         // weights beyond what their scale can hold, or a scale that outliers or other channels stretch
  kActivationClipping,  // results beyond what the output's range can hold
  kActivationRounding,  // results, and what the kernel computes inside, rounded
  kBias,
  kAccumulated,  // its data were off already
};

// The kind of an OperatorRef that is an input of the model.
inline constexpr char kInputKind[] = "INPUT";

struct OperatorRef {
  int subgraph = 0;
  int index = 0;     // in the file
  std::string kind;  // CONV_2D
  std::string name;  // of the first output tensor
};

struct CauseReport {
  ErrorCause cause = ErrorCause::kAccumulated;
  double sqnr_db = 0;  // the operator's signal against this step's noise alone
  double share = 0;    // of the operator's noise, all causes together; 0 .. 1
  std::string advice;  // the one setting to try next
};

struct OperatorComparison {
  // Absent: a QUANTIZE that only b has, or an input of b that is quantized (kind INPUT, index that of the input).
  std::optional<OperatorRef> a;
  OperatorRef b;
  std::string precision;  // of b, as in OperatorReport
  // Of its outputs, against those of a, whatever came before; absent for a zero signal.
  std::optional<double> sqnr_db;
  std::optional<double> own_sqnr_db;  // without what accumulated; absent: not split
  std::vector<CauseReport> causes;    // largest first; empty: nothing errs, or not split
  std::string advice;                 // of the largest cause of its own; "" when nothing errs or it was not split
  std::string reason;                 // why it was not split into causes; "" when it was
};

// One cause at one operator, of all that operators add themselves.
struct RankedCause {
  int subgraph = 0, index = 0;  // of the operator in the quantized file
  std::string kind, name;
  ErrorCause cause = ErrorCause::kWeightRounding;
  double sqnr_db = 0;
  double share = 0;  // of all operators' own noise, each relative to its signal; 0 .. 1
  std::string advice;
};

struct UnmatchedOperator {
  bool in_a = true;
  OperatorRef op;
};

struct ComparisonReport {
  bool identical = false;  // the files are equal byte for byte
  bool synthetic = false;
  uint64_t samples = 0;
  std::vector<OutputError> outputs;           // in the model's order
  std::vector<OperatorComparison> operators;  // in b's execution order
  std::vector<RankedCause> ranking;           // largest first
  std::vector<UnmatchedOperator> unmatched;
  std::vector<std::string> warnings;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_COMPARISON_H_
