#ifndef LATHE_OPTIMIZER_PASSES_STATIC_WEIGHTS_H_
#define LATHE_OPTIMIZER_PASSES_STATIC_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/weight_choices.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Weights and bias of an operator whose activations are integers.
struct StaticWeights {
  TensorType type = TensorType::kInt8;  // kInt8 or kInt4
  std::vector<uint8_t> data;            // as in the file: int4 packed, two in a byte
  Quantization quantization;            // symmetric; one scale for each channel, or one alone
  TensorType bias_type = TensorType::kInt32;
  std::vector<uint8_t> bias;  // int32 with int8 activations, int64 with int16
  Quantization bias_quantization;
};

// Scales of the activations around the operator.
struct StaticScales {
  int bits = 8;  // of the activations
  float input = 1, output = 1;
};

// Why the operator's weights and bias cannot be made integer for integer activations, or "". Besides dense float
// constants, symmetric int8 weights that the input file brings (dynamic-range and weight-only files) are taken: they
// keep their values, but for -128, which becomes -127.
std::string WhyNoStaticWeights(const Model& model, const Subgraph& subgraph, const Op& op);

// Bits that its weights get: 4 where the settings ask for it and the runtime has a kernel for the kind, the width of
// activations and the shape; else 8.
int StaticWeightBits(const Subgraph& subgraph, const Op& op, int activation_bits, const QuantizeSettings& settings);

// The weights as `choices` has them, as the file has them, or rounded to the nearest, and the bias with scale input *
// weight. Where the bias asks for a larger weight scale (math::QuantizeBias), that channel is rounded again.
// InvalidArgument WEIGHTS_NOT_FINITE: names the tensor. REQUIRES: WhyNoStaticWeights is "".
absl::StatusOr<StaticWeights> MakeStaticWeights(const Model& model, OpId id, const Op& op, StaticScales scales,
                                                const QuantizeSettings& settings, const WeightChoices* choices);

// The largest scale that MakeStaticWeights starts from. 0 when the weights are not finite (it will say so).
float LargestWeightScale(const Model& model, OpId id, const Op& op, int activation_bits,
                         const QuantizeSettings& settings, const WeightChoices* choices);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_STATIC_WEIGHTS_H_
