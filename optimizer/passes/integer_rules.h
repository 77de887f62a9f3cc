#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_RULES_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_RULES_H_

// What integer activations ask of each kind of operator, as a table: LiteRT 8-bit quantization specification, checked
// against the kernels of the runtime (docs/decisions/0010-operators-in-int8.md).

#include <cstdint>
#include <string>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

enum class ScaleClass {
  kFree,          // data operands and results have scales of their own
  kSameAsInput,   // every result takes the first data operand's scale and zero point
  kSameAsOutput,  // every data operand takes the result's
  kFixedOutput,   // the result's are fixed
  kNoOutput,      // the results are indices or truth values, which have none
};

// What the runtime offers for one width of activations.
enum class IntegerKernel {
  kGood,
  kSlow,    // right, but not taken by XNNPACK and slower than a float island: used only where integer is required
  kCoarse,  // right, but far less exact than its type; used only where integer is required
  kWrong,   // runs and computes nonsense: never used
  kNone,
};

struct IntegerRule {
  OpKind kind;
  ScaleClass scale_class;
  std::vector<size_t> data;  // activation operands; constants among them are quantized as activations. Empty: all
  IntegerKernel int8 = IntegerKernel::kGood, int16 = IntegerKernel::kGood;
  // Results are values of the operands, perhaps clamped, so that clipping an operand to the results' range changes
  // nothing.
  bool selects = false;
  bool has_weights = false;                      // see weights.h
  bool bias_required = false;                    // the kernel crashes or fails without one: a zero bias is made
  math::AffineParams fixed8 = {}, fixed16 = {};  // kFixedOutput only
};

// Null: the kind has no rule and stays float.
const IntegerRule* FindIntegerRule(OpKind kind);

// The activation operands of `op`. REQUIRES: WhyNotInteger(op) is "".
std::vector<size_t> DataOperands(const IntegerRule& rule, const Op& op);

// Bits of the activations that the settings ask for: 8 or 16. A constant table that GATHER or EMBEDDING_LOOKUP reads is
// a weight, so these compute in int8 also where activations are int16.
int ActivationBits(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings);

// True when slow and coarse kernels are wanted too: full integer is required, or inputs and outputs are integers.
bool IsStrict(const QuantizeSettings& settings);

// The settings that full-integer quantization follows for an operator of subgraph 0: the table's where there is one.
// Null: the operator belongs to another scheme or is skipped.
const QuantizeSettings* FullIntegerSettings(const SettingsTable* table, const QuantizeSettings& settings, const Op& op);

// Why `op` (of subgraph 0) keeps float activations under these settings, or "" when they can be integers of
// ActivationBits. Asks the operator and its tensors only; what was observed while calibrating is the pass's own reason.
std::string WhyNotInteger(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_RULES_H_
