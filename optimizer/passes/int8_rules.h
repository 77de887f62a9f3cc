#ifndef LATHE_OPTIMIZER_PASSES_INT8_RULES_H_
#define LATHE_OPTIMIZER_PASSES_INT8_RULES_H_

// What full-integer int8 asks of each kind of operator, as a table: LiteRT 8-bit quantization specification, checked
// against the kernels of the runtime (docs/decisions/0010-operators-in-int8.md).

#include <cstdint>
#include <string>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

enum class ScaleClass {
  kFree,          // input and output have scales of their own
  kSameAsInput,   // the output takes the first data operand's scale and zero point
  kSameAsOutput,  // every data operand takes the output's
  kFixedOutput,   // the output's are fixed
};

struct Int8Rule {
  OpKind kind;
  ScaleClass scale_class;
  std::vector<size_t> data;              // activation operands; constants among them are quantized as activations
  bool has_weights = false;              // see weights.h
  bool bias_required = false;            // the kernel crashes or fails without one: a zero bias is made
  bool pays = true;                      // false: XNNPACK does not take the int8 kernel, and a float island is faster
  math::AffineParams fixed_output = {};  // kFixedOutput only
};

// Null: the kind has no int8 rule in this version and stays float.
const Int8Rule* FindInt8Rule(OpKind kind);

// Why `op` (of subgraph 0) stays in float under these settings, or "" when it becomes int8. Asks the operator and its
// tensors only; that an activation was never observed while calibrating is the pass's own reason.
std::string WhyNotInt8(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INT8_RULES_H_
