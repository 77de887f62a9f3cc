#include "tests/support/odd_constants.h"

#include <cstring>
#include <string>
#include <utility>

namespace lathe {
namespace {

// float32 -> float16, exact for the few values used here.
uint16_t Half(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  if (value == 0) return 0;
  return static_cast<uint16_t>((bits >> 16 & 0x8000u) | ((bits >> 23 & 0xffu) - 112u) << 10 | (bits >> 13 & 0x3ffu));
}

// A constant of multiples of 1/64 in [-1, 1], stored as float16 behind a DEQUANTIZE.
TensorId HalfConstant(ModelBuilder& builder, const std::string& name, std::vector<int32_t> shape, uint32_t seed) {
  Tensor probe;
  probe.shape = shape;
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < probe.NumElements(); ++i) {
    const uint16_t half = Half(static_cast<float>((i * 2654435761 + seed) % 129 - 64) / 64);
    bytes.push_back(static_cast<uint8_t>(half & 255));
    bytes.push_back(static_cast<uint8_t>(half >> 8));
  }
  const TensorId stored = builder.Constant(name + "/half", shape, TensorType::kFloat16, std::move(bytes));
  const TensorId expanded = builder.Activation(name, std::move(shape));
  builder.AddOp(OpKind::kDequantize, {stored}, {expanded}, {}, 3);
  return expanded;
}

// Every fourth weight stored, rows of a [units, depth] matrix.
TensorId SparseConstant(ModelBuilder& builder, const std::string& name, int32_t units, int32_t depth, bool halves) {
  std::vector<int32_t> segments = {0}, indices;
  std::vector<uint8_t> bytes;
  for (int32_t row = 0; row < units; ++row) {
    for (int32_t column = row % 4; column < depth; column += 4) {
      indices.push_back(column);
      const float value = static_cast<float>((row * 31 + column * 17) % 127 - 63) / 64;
      const uint16_t half = Half(value);
      const auto* from = halves ? reinterpret_cast<const uint8_t*>(&half) : reinterpret_cast<const uint8_t*>(&value);
      bytes.insert(bytes.end(), from, from + (halves ? 2 : 4));
    }
    segments.push_back(static_cast<int32_t>(indices.size()));
  }
  const TensorType type = halves ? TensorType::kFloat16 : TensorType::kFloat32;
  const TensorId sparse = builder.Constant(name + "/sparse", {units, depth}, type, std::move(bytes));
  SetSparsity(builder.model().subgraphs[0].tensor(sparse),
              {.traversal_order = {0, 1},
               .block_map = {},
               .dimensions = {{.dense = true, .dense_size = units},
                              {.dense = false, .segments = std::move(segments), .indices = std::move(indices)}}});
  return AddStep(builder, OpKind::kDensify, {sparse}, {units, depth}, {}, type);
}

Quantization PerChannel(size_t channels, float scale, int32_t axis = 0) {
  Quantization quantization;
  quantization.scale.assign(channels, scale);
  quantization.zero_point.assign(channels, 0);
  quantization.quantized_dimension = axis;
  return quantization;
}

std::vector<uint8_t> Levels(size_t count, int highest) {
  std::vector<uint8_t> levels(count);
  for (size_t i = 0; i < count; ++i) {
    const int level = static_cast<int>(i * 7919 % static_cast<size_t>(2 * highest + 1)) - highest;
    levels[i] = static_cast<uint8_t>(static_cast<int8_t>(level));
  }
  return levels;
}

// An integer convolution 16 -> 16 from one quantized activation to another.
TensorId IntegerConvolution(ModelBuilder& builder, TensorId x, TensorType type, float scale, const std::string& name) {
  const bool wide = type == TensorType::kInt16;
  const TensorId weights =
      builder.Constant(name + "/w", {16, 3, 3, 16}, TensorType::kInt8, Levels(16 * 9 * 16, 90), PerChannel(16, 0.002f));
  const TensorId bias = builder.Constant(name + "/b", {16}, wide ? TensorType::kInt64 : TensorType::kInt32,
                                         std::vector<uint8_t>(wide ? 128 : 64, 0), PerChannel(16, scale * 0.002f));
  const TensorId y = builder.Activation(name, {1, 8, 8, 16}, type, PerTensor(scale, 0));
  builder.AddOp(OpKind::kConv2d, {x, weights, bias}, {y}, MakeConvOptions({}), wide ? 4 : 3);
  return y;
}

}  // namespace

TensorId AddStep(ModelBuilder& builder, OpKind kind, std::vector<TensorId> inputs, std::vector<int32_t> shape,
                 OpOptions options, TensorType type) {
  const size_t count = builder.model().subgraphs.back().ops.size();
  const TensorId y = builder.Activation("step" + std::to_string(count), std::move(shape), type);
  builder.AddOp(kind, std::move(inputs), {y}, std::move(options));
  return y;
}

Model HalfWeights() {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 8, 8, 16});
  for (uint32_t layer = 0; layer < 2; ++layer) {
    const TensorId weights = HalfConstant(builder, "w" + std::to_string(layer), {16, 3, 3, 16}, layer);
    const TensorId bias = HalfConstant(builder, "b" + std::to_string(layer), {16}, layer + 9);
    x = AddStep(builder, OpKind::kConv2d, {x, weights, bias}, {1, 8, 8, 16}, MakeConvOptions({}));
  }
  builder.Output(x);
  return builder.Build();
}

Model SparseWeights(bool halves) {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 128});
  for (int32_t layer = 0; layer < 2; ++layer) {
    TensorId weights = SparseConstant(builder, "w" + std::to_string(layer), 128, 128, halves);
    if (halves) {
      const TensorId floats = builder.Activation("f" + std::to_string(layer), {128, 128});
      builder.AddOp(OpKind::kDequantize, {weights}, {floats}, {}, 3);
      weights = floats;
    }
    x = AddStep(builder, OpKind::kFullyConnected, {x, weights, TensorId()}, {1, 128}, MakeFullyConnectedOptions({}));
  }
  builder.Output(x);
  return builder.Build();
}

Model AllInteger(TensorType type, float scale) {
  ModelBuilder builder;
  TensorId x = builder.Activation("x", {1, 8, 8, 16}, type, PerTensor(scale, 0));
  builder.model().subgraphs[0].inputs.push_back(x);
  x = IntegerConvolution(builder, x, type, scale, "a");
  builder.Output(IntegerConvolution(builder, x, type, scale, "b"));
  return builder.Build();
}

Model HalfQuantized() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16});
  const TensorId integers = builder.Activation("x_int8", {1, 8, 8, 16}, TensorType::kInt8, PerTensor(1.0f / 64, 0));
  builder.AddOp(OpKind::kQuantize, {x}, {integers});
  const TensorId a = IntegerConvolution(builder, integers, TensorType::kInt8, 1.0f / 32, "a");
  const TensorId floats = builder.Activation("floats", {1, 8, 8, 16});
  builder.AddOp(OpKind::kDequantize, {a}, {floats}, {}, 2);
  builder.Output(builder.Conv2d(builder.Conv2d(floats, 32, 3, 1), 16, 3, 7));
  return builder.Build();
}

Model HalfQuantizedWeights() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16});
  const TensorId stored =
      builder.Constant("w_int8", {32, 3, 3, 16}, TensorType::kInt8, Levels(32 * 9 * 16, 90), PerChannel(32, 0.01f));
  const TensorId weights = builder.Activation("w", {32, 3, 3, 16});
  builder.AddOp(OpKind::kDequantize, {stored}, {weights}, {}, 5);
  const TensorId y = AddStep(builder, OpKind::kConv2d, {x, weights, builder.RandomConstant("b", {32}, 2)},
                             {1, 8, 8, 32}, MakeConvOptions({}));
  builder.Output(builder.Conv2d(y, 32, 3, 7));
  return builder.Build();
}

Model LegacyUint8() {
  ModelBuilder builder;
  const TensorId x = builder.Activation("x", {1, 64}, TensorType::kUint8, PerTensor(1.0f / 128, 128));
  builder.model().subgraphs[0].inputs.push_back(x);
  const TensorId weights =
      builder.Constant("w", {64, 64}, TensorType::kUint8, Levels(64 * 64, 100), PerTensor(0.01f, 120));
  const TensorId bias =
      builder.Constant("b", {64}, TensorType::kInt32, std::vector<uint8_t>(256, 0), PerTensor(0.01f / 128, 0));
  const TensorId y = builder.Activation("y", {1, 64}, TensorType::kUint8, PerTensor(0.05f, 128));
  builder.AddOp(OpKind::kFullyConnected, {x, weights, bias}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  return builder.Build();
}

}  // namespace lathe
