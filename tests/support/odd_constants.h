#ifndef LATHE_TESTS_SUPPORT_ODD_CONSTANTS_H_
#define LATHE_TESTS_SUPPORT_ODD_CONSTANTS_H_

#include <cstdint>
#include <vector>

#include "tests/support/model_builder.h"

namespace lathe {

// Small models whose weights are not plain float32 constants; parts of the corpus in odd_models.h.

// An operator with one new output; returns the output.
TensorId AddStep(ModelBuilder& builder, OpKind kind, std::vector<TensorId> inputs, std::vector<int32_t> shape,
                 OpOptions options = {}, TensorType type = TensorType::kFloat32);

// Two convolutions; weights and biases are float16 behind DEQUANTIZE.
Model HalfWeights();
// Two matrices with a quarter of their weights stored, behind DENSIFY; as float16 with a DEQUANTIZE after that.
Model SparseWeights(bool halves);
// Two convolutions with int8 weights between activations of this type, the model's inputs and outputs included.
Model AllInteger(TensorType type, float scale);
// An int8 convolution between QUANTIZE and DEQUANTIZE, then two in float.
Model HalfQuantized();
// A convolution whose symmetric int8 weights, levels up to 90, lie behind DEQUANTIZE, then one in float.
Model HalfQuantizedWeights();
// A FULLY_CONNECTED as quantization-aware training wrote it in 2018: uint8 with zero points everywhere.
Model LegacyUint8();

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_ODD_CONSTANTS_H_
