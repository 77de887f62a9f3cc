#ifndef LATHE_OPTIMIZER_PASSES_WEIGHT_PLAN_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

enum class ScaleGranularity { kTensor, kChannel, kBlock };

// One constant operand of an operator as integers.
struct IntegerConstant {
  enum class Place {
    kOnOperator,        // instead of the float constant: the kernel reads integers
    kBehindDequantize,  // a DEQUANTIZE that the runtime computes once makes the float constant
    kBeforeDequantize,  // instead of the float constant; the output gets its type, and a DEQUANTIZE makes that float
  };
  size_t operand = 0;
  Place place = Place::kOnOperator;
  int bits = 8;
  ScaleGranularity granularity = ScaleGranularity::kChannel;
  int32_t axis = 0;         // kChannel: the dimension that the scales go along
  int32_t block_size = 0;   // kBlock: columns that share a scale
  bool asymmetric = false;  // scale and zero point of an int8 activation; kTensor, 8 bits
  bool min_error = false;   // scales by math::LowerScalesToLeastError
};

// What a scheme without data does to one operator.
struct WeightPlan {
  std::vector<IntegerConstant> constants;  // empty: the operator stays as it is
  // Why it stays as it is, or why its constants get another form than the settings ask for; "" when they get that.
  std::string reason;
};

// Decides for kDynamicRange and kWeightOnly settings; unset fields mean 8 bits, one scale for each channel, and
// min-error below 8 bits. Only forms whose kernel computes the right result on the runtime are planned (quantization
// specification, section 2, and docs/decisions/0014): where the asked width has none the next wider is taken. The
// smallest layers, a twenty-fourth of the weights together, keep int8. In dynamic range with 8 bits what
// AreFewWeights stays float.
//   convolutions, FULLY_CONNECTED, BATCH_MATMUL (constant right operand), EMBEDDING_LOOKUP: their weights
//   LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, RNN, UNIDIRECTIONAL_SEQUENCE_RNN, SVDF: all weight matrices, always int8
//   GATHER: the table. Of 8 bits with one scale, where that keeps the rows apart, else with a scale for each row
//   ADD, SUB, MUL: a constant operand of at least 1,024 elements, where int8 keeps its detail
// Any other constant stays. REQUIRES: the model verifies; `subgraph` is one of its subgraphs, `op` one of its
// operators.
WeightPlan PlanWeights(const Model& model, const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings);

// Why the constants of an operator that has been through such a scheme are not in the form asked for; "" when they are,
// or when it has none. Asks kinds and shapes only, so that it can be asked of the result.
std::string WhyOtherForm(const Subgraph& subgraph, const Op& op, const QuantizeSettings& settings);

// Whether the weights of a kernel are fewer than 1,024, and all such of the subgraph together at most a six-hundredth
// of its weights: the first convolutions and their depthwise filters, which cost the most accuracy and save nearly
// nothing (docs/decisions/0031). Asks kinds and shapes only.
bool AreFewWeights(const Subgraph& subgraph, const Tensor& weights);

// Operands of `op` that hold weight matrices of a recurrent kind; empty for other kinds and for kernels without integer
// weights.
std::vector<size_t> RecurrentWeightOperands(const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHT_PLAN_H_
