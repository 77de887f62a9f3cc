#include "optimizer/passes/integer_weights_pass.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

using Mode = IntegerWeightsPass::Mode;

Model MixedLayers() {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 8, 8, 16});
  x = builder.Conv2d(x, 32, 3, 1);
  x = builder.DepthwiseConv2d(x, 3, 2);
  builder.Output(builder.Conv2d(x, 16, 1, 3));
  builder.AddSignature("serve");
  return builder.Build();
}

const Tensor& WeightsOf(const Model& model, const Op& op) { return model.subgraphs[0].tensor(op.inputs[1]); }

TEST(IntegerWeightsPassTest, DynamicRangePutsInt8OnTheOperator) {
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), MixedLayers());
  ASSERT_EQ(result.subgraphs[0].ops.size(), 4u);
  for (size_t i : {0u, 3u}) {
    const Op& op = result.subgraphs[0].ops[i];
    ASSERT_EQ(op.kind, OpKind::kConv2d);
    const Tensor& weights = WeightsOf(result, op);
    EXPECT_EQ(weights.type, TensorType::kInt8);
    EXPECT_EQ(weights.quantization.quantized_dimension, 0);
    EXPECT_EQ(weights.quantization.scale.size(), static_cast<size_t>(weights.shape[0]));
    for (int64_t zero_point : weights.quantization.zero_point) EXPECT_EQ(zero_point, 0);
    EXPECT_EQ(op.version, 5);                                                        // hybrid, per channel
    EXPECT_EQ(result.subgraphs[0].tensor(op.inputs[2]).type, TensorType::kFloat32);  // bias
  }
}

TEST(IntegerWeightsPassTest, DynamicRangeComputesDepthwiseInFloat) {
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), MixedLayers());
  const Op &dequantize = result.subgraphs[0].ops[1], &depthwise = result.subgraphs[0].ops[2];
  ASSERT_EQ(dequantize.kind, OpKind::kDequantize);
  ASSERT_EQ(depthwise.kind, OpKind::kDepthwiseConv2d);
  EXPECT_EQ(depthwise.inputs[1], dequantize.outputs[0]);
  const Tensor& stored = result.subgraphs[0].tensor(dequantize.inputs[0]);
  EXPECT_EQ(stored.type, TensorType::kInt8);
  EXPECT_EQ(stored.quantization.quantized_dimension, 3);
}

TEST(IntegerWeightsPassTest, WeightOnlyPutsInt8BehindDequantize) {
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kWeightOnly), MixedLayers());
  int dequantize = 0;
  for (const Op& op : result.subgraphs[0].ops) {
    if (op.kind == OpKind::kDequantize) {
      ++dequantize;
      EXPECT_EQ(op.version, 5);  // per channel
    } else {
      EXPECT_EQ(WeightsOf(result, op).type, TensorType::kFloat32);
    }
  }
  EXPECT_EQ(dequantize, 3);
}

TEST(IntegerWeightsPassTest, WeightsTooSmallToSaveBytesStayFloat) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 4}), 8, 1));
  const Model model = builder.Build();
  for (Mode mode : {Mode::kDynamicRange, Mode::kWeightOnly}) {
    const Model result = ExpectPassProperties(IntegerWeightsPass(mode), model);
    EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[0]).type, TensorType::kFloat32);
  }
}

TEST(IntegerWeightsPassTest, SharedWeightsAreStoredOnce) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), w = builder.RandomConstant("w", {32, 32}, 5);
  const TensorId y = builder.Activation("y", {1, 32}), z = builder.Activation("z", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {y, w, TensorId()}, {z}, MakeFullyConnectedOptions({}));
  builder.Output(z);
  const Model model = builder.Build();
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), model);
  const Subgraph& graph = result.subgraphs[0];
  EXPECT_EQ(graph.ops[0].inputs[1], graph.ops[1].inputs[1]);
  EXPECT_EQ(graph.ops[0].version, 12);
  ExpectPassProperties(IntegerWeightsPass(Mode::kWeightOnly), model);
}

TEST(IntegerWeightsPassTest, WeightsThatFloatReadersShareStayForThem) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {32, 32}), w = builder.RandomConstant("w", {32, 32}, 5);
  const TensorId y = builder.Activation("y", {32, 32}), z = builder.Activation("z", {32, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kAdd, {y, w}, {z}, MakeAddOptions());
  builder.Output(z);
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), builder.Build());
  EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[1]).type, TensorType::kFloat32);
}

TEST(IntegerWeightsPassTest, GroupedConvolutionStaysFloat) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16}), w = builder.RandomConstant("w", {32, 3, 3, 8}, 5);
  const TensorId b = builder.RandomConstant("b", {32}, 6), y = builder.Activation("y", {1, 8, 8, 32});
  builder.AddOp(OpKind::kConv2d, {x, w, b}, {y}, MakeConvOptions({}));
  builder.Output(y);
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), builder.Build());
  EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[0]).type, TensorType::kFloat32);
}

}  // namespace
}  // namespace lathe
