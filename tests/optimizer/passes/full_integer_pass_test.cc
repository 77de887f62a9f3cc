#include "optimizer/passes/full_integer_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

std::vector<std::string> Kinds(const Model& model) {
  std::vector<std::string> kinds;
  for (const Op& op : model.subgraphs[0].ops) kinds.emplace_back(OpKindName(op.kind));
  return kinds;
}

const Tensor& Operand(const Model& model, size_t op, size_t operand) {
  return model.subgraphs[0].tensor(model.subgraphs[0].ops[op].inputs[operand]);
}

TEST(FullIntegerPassTest, WholeChainIsInt8BetweenTheEdges) {
  ModelBuilder builder;
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  x = builder.DepthwiseConv2d(x, 3, 2);
  builder.Output(builder.Conv2d(x, 4, 1, 3));
  builder.AddSignature("serve");
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_THAT(Kinds(result),
              ::testing::ElementsAre("QUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEQUANTIZE"));
  for (size_t op : {1u, 2u, 3u}) {
    EXPECT_EQ(Operand(result, op, 0).type, TensorType::kInt8);
    EXPECT_EQ(Operand(result, op, 1).type, TensorType::kInt8);
    EXPECT_EQ(Operand(result, op, 2).type, TensorType::kInt32);
    EXPECT_EQ(result.subgraphs[0].ops[op].version, 3);
    const Tensor &data = Operand(result, op, 0), &weights = Operand(result, op, 1), &bias = Operand(result, op, 2);
    for (size_t c = 0; c < weights.quantization.scale.size(); ++c) {
      EXPECT_FLOAT_EQ(bias.quantization.scale[c], data.quantization.scale[0] * weights.quantization.scale[c]);
    }
  }
}

TEST(FullIntegerPassTest, PreluStaysAnIslandWithOneConversionEachWay) {
  ModelBuilder builder;
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId y = builder.Activation("y", {1, 8, 8, 8});
  builder.AddOp(OpKind::kPrelu, {x, builder.RandomConstant("alpha", {1, 1, 8}, 9)}, {y});
  const TensorId a = builder.Conv2d(y, 8, 1, 2), b = builder.Conv2d(y, 8, 1, 3);
  const TensorId sum = builder.Activation("sum", {1, 8, 8, 8});
  builder.AddOp(OpKind::kAdd, {a, b}, {sum}, MakeAddOptions());
  builder.Output(sum);
  const Model model = builder.Build();
  EXPECT_THAT(Kinds(ExpectPassProperties(FullIntegerPass({}), model)),
              ::testing::ElementsAre("QUANTIZE", "CONV_2D", "DEQUANTIZE", "PRELU", "QUANTIZE", "CONV_2D", "CONV_2D",
                                     "ADD", "DEQUANTIZE"));
  QuantizeSettings strict;
  strict.require_full_integer = true;
  EXPECT_THAT(Kinds(ExpectPassProperties(FullIntegerPass(strict), model)),
              ::testing::ElementsAre("QUANTIZE", "CONV_2D", "PRELU", "CONV_2D", "CONV_2D", "ADD", "DEQUANTIZE"));
}

TEST(FullIntegerPassTest, PoolingKeepsTheScaleOfItsInput) {
  ModelBuilder builder;
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId pooled = builder.Activation("pooled", {1, 4, 4, 8});
  PoolOptions pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  builder.AddOp(OpKind::kMaxPool2d, {x}, {pooled}, MakePoolOptions(pool));
  builder.Output(builder.Conv2d(pooled, 4, 1, 2));
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_EQ(Operand(result, 2, 0).quantization.scale, Operand(result, 3, 0).quantization.scale);
  EXPECT_EQ(Operand(result, 2, 0).quantization.zero_point, Operand(result, 3, 0).quantization.zero_point);
}

TEST(FullIntegerPassTest, SoftmaxHasItsFixedOutput) {
  ModelBuilder builder;
  const TensorId logits = builder.FullyConnected(builder.Input("x", {1, 32}), 10, 1);
  const TensorId probabilities = builder.Activation("p", {1, 10});
  builder.AddOp(OpKind::kSoftmax, {logits}, {probabilities}, MakeSoftmaxOptions(1));
  builder.Output(probabilities);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  ASSERT_EQ(Kinds(result).back(), "DEQUANTIZE");
  const Tensor& output = Operand(result, result.subgraphs[0].ops.size() - 1, 0);
  EXPECT_EQ(output.quantization.scale[0], 1.0f / 256);
  EXPECT_EQ(output.quantization.zero_point[0], -128);
}

TEST(FullIntegerPassTest, ConvolutionWithoutBiasGetsAZeroBias) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 4}), w = builder.RandomConstant("w", {8, 3, 3, 4}, 5);
  const TensorId y = builder.Activation("y", {1, 8, 8, 8});
  builder.AddOp(OpKind::kConv2d, {x, w}, {y}, MakeConvOptions({}));
  builder.Output(y);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  const Tensor& bias = Operand(result, 1, 2);
  ASSERT_EQ(bias.type, TensorType::kInt32);
  for (int32_t value : result.Int32Data(bias)) EXPECT_EQ(value, 0);
}

TEST(FullIntegerPassTest, SharedBiasIsStoredForEachScale) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), bias = builder.RandomConstant("bias", {32}, 1);
  const TensorId y = builder.Activation("y", {1, 32}), z = builder.Activation("z", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, builder.RandomConstant("w1", {32, 32}, 2), bias}, {y},
                MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {y, builder.RandomConstant("w2", {32, 32}, 3, -9, 9), bias}, {z},
                MakeFullyConnectedOptions({}));
  builder.Output(z);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_NE(Operand(result, 1, 2).quantization.scale, Operand(result, 2, 2).quantization.scale);
}

TEST(FullIntegerPassTest, ConstantOperandOfAddIsQuantizedAsAnActivation) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), c = builder.RandomConstant("c", {1, 32}, 4, -3, 5);
  const TensorId y = builder.Activation("y", {1, 32});
  builder.AddOp(OpKind::kAdd, {x, c}, {y}, MakeAddOptions());
  builder.Output(y);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_EQ(Operand(result, 1, 1).type, TensorType::kInt8);
  EXPECT_EQ(Operand(result, 1, 1).quantization.scale.size(), 1u);
}

TEST(FullIntegerPassTest, OutputThatIsAlsoReadInsideKeepsItsName) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  builder.Output(a);
  builder.Output(builder.Conv2d(a, 8, 1, 2));
  builder.AddSignature("serve");
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_THAT(Kinds(result),
              ::testing::UnorderedElementsAre("QUANTIZE", "CONV_2D", "CONV_2D", "DEQUANTIZE", "DEQUANTIZE"));
}

TEST(FullIntegerPassTest, OperatorsWithoutARuleStayFloat) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId b = builder.Activation("b", {1, 8, 8, 8});
  builder.AddOp(OpKind::kFloor, {a}, {b});
  builder.Output(b);
  EXPECT_THAT(Kinds(ExpectPassProperties(FullIntegerPass({}), builder.Build())),
              ::testing::ElementsAre("QUANTIZE", "CONV_2D", "DEQUANTIZE", "FLOOR"));
}

TEST(FullIntegerPassTest, ForbiddenFallbackNamesTheOperator) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId b = builder.Activation("b", {1, 8, 8, 8}), c = builder.Activation("c", {1, 8, 8, 8});
  builder.AddOp(OpKind::kPrelu, {a, builder.RandomConstant("alpha", {1, 1, 8}, 9)}, {b});
  builder.AddOp(OpKind::kFloor, {b}, {c});
  builder.Output(c);
  const Model model = builder.Build();
  const RangeTable ranges = UnitRanges(model);
  PassContext context;
  context.ranges = &ranges;
  QuantizeSettings no_fallback, strict;
  no_fallback.allow_float_fallback = false;
  strict.require_full_integer = true;
  for (const QuantizeSettings& settings : {no_fallback, strict}) {
    Model copy = model;
    const absl::Status status = RunPass(FullIntegerPass(settings), copy, context).status();
    EXPECT_EQ(ReasonOf(status), "FLOAT_FALLBACK");
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("FLOOR"));
  }
}

TEST(FullIntegerPassTest, NothingEligibleChangesNothing) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8}), y = builder.Activation("y", {1, 8});
  builder.AddOp(OpKind::kFloor, {x}, {y});
  builder.Output(y);
  EXPECT_THAT(Kinds(ExpectPassProperties(FullIntegerPass({}), builder.Build())), ::testing::ElementsAre("FLOOR"));
}

}  // namespace
}  // namespace lathe
