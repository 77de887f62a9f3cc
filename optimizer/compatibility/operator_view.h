#ifndef LATHE_OPTIMIZER_COMPATIBILITY_OPERATOR_VIEW_H_
#define LATHE_OPTIMIZER_COMPATIBILITY_OPERATOR_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "optimizer/model/model.h"

namespace lathe {

// One operator with its surroundings, as the rules of targets ask about it. Everything it names must outlive it.
struct OperatorView {
  const Model& model;
  const Subgraph& graph;
  const Op& op;

  // Null: the operand is left out, or there are fewer.
  const Tensor* input(size_t i) const { return op.input(i).valid() ? &graph.tensor(op.inputs[i]) : nullptr; }
  const Tensor* output(size_t i) const {
    return i < op.outputs.size() && op.outputs[i].valid() ? &graph.tensor(op.outputs[i]) : nullptr;
  }
  bool IsConstantInput(size_t i) const { return input(i) != nullptr && model.IsConstant(*input(i)); }

  // The type that decides which kernel runs: of the operand that holds the data (the first but where that is an axis, a
  // shape, a condition or row numbers), else of the first result. Nullopt: there is neither.
  std::optional<TensorType> type() const;
};

// Types of activations as bits of a set.
using TypeSet = uint32_t;
inline constexpr TypeSet kFloat32Type = 1, kInt8Type = 2, kUint8Type = 4, kInt16Type = 8, kInt32Type = 16,
                         kInt64Type = 32, kBoolType = 64, kFloat16Type = 128, kUint32Type = 256,
                         kOtherTypes = 512;  // but strings
inline constexpr TypeSet kAnyType = 2 * kOtherTypes - 1;
bool Holds(TypeSet types, TensorType type);

// What a target's documentation or code says about one kind.
struct OperatorRule {
  OpKind kind;
  TypeSet types;        // of OperatorView::type
  int version_max = 0;  // 0: versions are not looked at
  // Why these operands or options are not taken; "" when they are. Null: no limits.
  std::string (*limit)(const OperatorView&) = nullptr;
  size_t rank_max = 0;     // of every operand and result; 0: ranks are not looked at
  uint32_t constants = 0;  // operands that must not be computed, as bits: 0b10 is the second
};

// Why the operator does not pass the rules, or "". `target` names it in the sentence: "XNNPACK".
std::string WhyNotByRules(const OperatorView& view, absl::Span<const OperatorRule> rules, std::string_view target);

// "'name' has a dynamic shape" for the first operand or result whose shape the file leaves open beyond the batch, which
// converters leave open as a rule and runtimes take as 1; "" for none.
std::string WhyDynamic(const OperatorView& view);

// Limits that targets share.
std::string LimitFusedActivation(const OperatorView& view);   // none may be fused
std::string LimitBatchAxis(const OperatorView& view);         // constant axes (operand 1) leave the first dimension out
std::string LimitConstantOperands(const OperatorView& view);  // every operand but the first is a constant

// Pieces of limits, with the sentence that says what is wrong; "" for nothing.
std::string WhyComputed(const OperatorView& view, size_t operand);    // it is there and not a constant
std::string WhyRankAbove(const OperatorView& view, size_t rank_max);  // of any operand or result
std::string WhyResultIsNot(const OperatorView& view, TypeSet types);  // of the first result
std::string WhyGridsDiffer(const OperatorView& view);                 // int8 operands' from the first result's

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_COMPATIBILITY_OPERATOR_VIEW_H_
