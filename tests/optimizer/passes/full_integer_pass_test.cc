#include "optimizer/passes/full_integer_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/passes/graph_figures.h"
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

TEST(FullIntegerPassTest, Int16HasInt64BiasesAndNoZeroPoints) {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId y = builder.Activation("y", {1, 8, 8, 8}), z = builder.Activation("z", {1, 8, 8, 8});
  builder.AddOp(OpKind::kAdd, {x, x}, {y}, MakeAddOptions());
  builder.AddOp(OpKind::kExp, {y}, {z});  // its int16 kernel is too coarse
  builder.Output(builder.Conv2d(z, 8, 1, 2));
  QuantizeSettings wide;
  wide.activations.bits = 16;
  const Model result = ExpectPassProperties(FullIntegerPass(wide), builder.Build());
  EXPECT_THAT(Kinds(result), ::testing::ElementsAre("QUANTIZE", "CONV_2D", "ADD", "DEQUANTIZE", "EXP", "QUANTIZE",
                                                    "CONV_2D", "DEQUANTIZE"));
  EXPECT_EQ(Operand(result, 1, 0).type, TensorType::kInt16);
  EXPECT_EQ(Operand(result, 1, 0).quantization.zero_point[0], 0);
  EXPECT_EQ(Operand(result, 1, 1).type, TensorType::kInt8);
  EXPECT_EQ(Operand(result, 1, 2).type, TensorType::kInt64);
  EXPECT_EQ(result.subgraphs[0].ops[2].version, 3);
}

TEST(FullIntegerPassTest, FourBitWeightsArePackedWhereAKernelIs) {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId shape = builder.Constant("shape", {4}, std::vector<int32_t>{1, 8, 8, 6});
  const TensorId y = builder.Activation("y", {1, 8, 8, 6});
  builder.AddOp(OpKind::kTransposeConv, {shape, builder.RandomConstant("w", {6, 3, 3, 8}, 2), x}, {y},
                MakeTransposeConvOptions({}));
  builder.Output(y);
  QuantizeSettings narrow;
  narrow.weights.bits = 4;
  const Model result = ExpectPassProperties(FullIntegerPass(narrow), builder.Build());
  EXPECT_EQ(Operand(result, 1, 1).type, TensorType::kInt4);
  EXPECT_EQ(result.buffer(Operand(result, 1, 1).buffer).bytes().size(), 8u * 3 * 3 * 4 / 2);
  EXPECT_EQ(result.subgraphs[0].ops[1].version, 7);
  EXPECT_EQ(Operand(result, 2, 1).type, TensorType::kInt8);
}

// Rules of a recipe: one convolution in int16, one left alone.
TEST(FullIntegerPassTest, WidthsMeetInOneQuantize) {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 8, 8, 4});
  for (uint32_t i = 0; i < 4; ++i) x = builder.Conv2d(x, 4, 1, i);
  builder.Output(x);
  Model model = builder.Build();
  for (size_t i = 0; i < 4; ++i) model.subgraphs[0].ops[i].origin = static_cast<int32_t>(i);
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kFullInteger;
  Rule wide, skip;
  wide.selector.index = 1;
  wide.quantize.scheme = Scheme::kFullInteger;
  wide.quantize.activations.bits = 16;
  skip.selector.index = 3;
  skip.skip = true;
  recipe.rules = {wide, skip};
  const absl::StatusOr<SettingsTable> table = SettingsTable::Resolve(model, recipe);
  ASSERT_TRUE(table.ok()) << table.status();
  const RangeTable ranges = UnitRanges(model);
  PassContext context;
  context.ranges = &ranges;
  context.settings = &*table;
  const absl::StatusOr<Change> change = RunPass(FullIntegerPass(recipe.quantize), model, context);
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(change->count, 3);
  EXPECT_THAT(Kinds(model), ::testing::ElementsAre("QUANTIZE", "CONV_2D", "QUANTIZE", "CONV_2D", "QUANTIZE", "CONV_2D",
                                                   "DEQUANTIZE", "CONV_2D"));
  EXPECT_EQ(Operand(model, 3, 0).type, TensorType::kInt16);
  EXPECT_EQ(model.subgraphs[0].ops[2].version, 2);
}

TEST(FullIntegerPassTest, InputsAndOutputsTakeTheTypeThatIsAskedFor) {
  for (const auto& [name, type, conversions] :
       {std::tuple{"int8", TensorType::kInt8, 0}, std::tuple{"uint8", TensorType::kUint8, 2},
        std::tuple{"int16", TensorType::kInt16, 2}}) {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", {1, 8, 8, 4});
    builder.Output(builder.Conv2d(x, 8, 3, 1));
    builder.AddSignature("serve");
    Model model = builder.Build();
    const RangeTable ranges = UnitRanges(model);
    PassContext context;
    context.ranges = &ranges;
    QuantizeSettings settings;
    settings.io_type = name;
    ASSERT_TRUE(RunPass(FullIntegerPass(settings), model, context).ok()) << name;
    const Subgraph& graph = model.subgraphs[0];
    EXPECT_EQ(graph.ops.size(), 1u + static_cast<size_t>(conversions)) << name;
    EXPECT_EQ(graph.tensor(graph.inputs[0]).type, type);
    EXPECT_EQ(graph.tensor(graph.inputs[0]).name, "x");
    EXPECT_EQ(graph.tensor(graph.outputs[0]).type, type);
    EXPECT_EQ(model.signatures[0].inputs[0].tensor, graph.inputs[0]);
    EXPECT_EQ(model.signatures[0].outputs[0].tensor, graph.outputs[0]);
  }
}

TEST(FullIntegerPassTest, ReluThatTheGridDoesAlreadyGoes) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId b = builder.Activation("b", {1, 8, 8, 8});
  builder.AddOp(OpKind::kRelu, {a}, {b});
  builder.Output(builder.Conv2d(b, 8, 1, 2));
  Model model = builder.Build();
  RangeTable ranges;
  for (size_t i = 0; i < model.subgraphs[0].tensors.size(); ++i) {
    if (!model.IsConstant(model.subgraphs[0].tensors[i])) ranges.Merge(TensorId(i), TensorId(i) == b ? 0.0f : -1.0f, 1);
  }
  PassContext context;
  context.ranges = &ranges;
  ASSERT_TRUE(RunPass(FullIntegerPass({}), model, context).ok());
  EXPECT_THAT(Kinds(model), ::testing::ElementsAre("QUANTIZE", "CONV_2D", "CONV_2D", "DEQUANTIZE"));
  EXPECT_EQ(Operand(model, 2, 0).quantization.zero_point[0], -128);
}

// A file of another tool whose weights are int8 and whose activations are float.
TEST(FullIntegerPassTest, WeightsThatAreInt8KeepTheirValues) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4}), y = builder.Activation("y", {1, 3});
  const std::vector<uint8_t> levels = {1, 2, 3, 127, 5, 6, 7, 129, 9, 10, 11, 12};
  const TensorId w = builder.Constant("w", {3, 4}, TensorType::kInt8, levels, PerTensor(0.01f, 0));
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  const Tensor& weights = Operand(result, 1, 1);
  EXPECT_THAT(result.buffer(weights.buffer).bytes(), ::testing::ElementsAreArray(levels));
  EXPECT_THAT(weights.quantization.scale, ::testing::Each(0.01f));
}

TEST(FullIntegerPassTest, ChosenWeightsAndBiasShiftsAreTaken) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2});
  const TensorId w = builder.Constant("w", {2, 2}, std::vector<float>{1, 0.5f, -1, 0.25f}),
                 y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  Model model = builder.Build();
  const RangeTable ranges = UnitRanges(model);
  const WeightChoices choices = {
      {OpId(0), {.bits = 8, .scales = {0.01f, 0.02f}, .levels = {100, 49, -50, 13}, .bias_shift = {0.1f, 0}}}};
  PassContext context;
  context.ranges = &ranges;
  context.weights = &choices;
  ASSERT_TRUE(RunPass(FullIntegerPass({}), model, context).ok());
  EXPECT_THAT(model.buffer(Operand(model, 1, 1).buffer).bytes(), ::testing::ElementsAre(100, 49, 206, 13));
  const Tensor& bias = Operand(model, 1, 2);
  EXPECT_NEAR(static_cast<double>(model.Int32Data(bias)[0]) * bias.quantization.scale[0], 0.1, 1e-4);
}

TEST(FullIntegerPassTest, TinyAddendOfALargeSumGetsACoarserGrid) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8}), y = builder.Activation("y", {1, 8});
  const TensorId epsilon = builder.Constant("epsilon", {1}, std::vector<float>{1e-5f});
  builder.AddOp(OpKind::kAdd, {x, epsilon}, {y}, MakeAddOptions());
  builder.Output(y);
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  ASSERT_EQ(Kinds(result)[1], "ADD");
  const double ratio = static_cast<double>(Operand(result, 1, 1).quantization.scale[0]) /
                       static_cast<double>(Operand(result, 2, 0).quantization.scale[0]);
  EXPECT_GE(ratio, 0x1p-10);
  EXPECT_TRUE(IsDelegated(result, result.subgraphs[0], result.subgraphs[0].ops[1]));
}

TEST(FullIntegerPassTest, IntegersThatTheFileDequantizesAreTakenAsTheyAre) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 4}, TensorType::kInt8);
  builder.model().subgraphs[0].tensor(x).quantization = PerTensor(0.5f, 3);
  const TensorId y = builder.Activation("y", {1, 8, 8, 4});
  builder.AddOp(OpKind::kDequantize, {x}, {y}, {}, 2);
  builder.Output(builder.Conv2d(y, 8, 3, 1));
  const Model result = ExpectPassProperties(FullIntegerPass({}), builder.Build());
  EXPECT_THAT(Kinds(result), ::testing::ElementsAre("CONV_2D", "DEQUANTIZE"));
  EXPECT_EQ(Operand(result, 0, 0).quantization.zero_point[0], 3);
}

TEST(DescribeGraphTest, CountsConversionsAndWhatXnnpackLeaves) {
  ModelBuilder builder;
  const TensorId a = builder.FullyConnected(builder.Input("x", {1, 32}), 10, 1);
  const TensorId b = builder.Activation("b", {1, 10});
  builder.AddOp(OpKind::kSoftmax, {a}, {b}, MakeSoftmaxOptions(1));
  builder.Output(b);
  const GraphReport report = DescribeGraph(ExpectPassProperties(FullIntegerPass({}), builder.Build()));
  EXPECT_EQ(report.operators, 4);
  EXPECT_EQ(report.integer_operators, 2);
  EXPECT_EQ(report.quantize_operators, 1);
  EXPECT_EQ(report.dequantize_operators, 1);
  EXPECT_EQ(report.undelegated_operators, 1);
}

}  // namespace
}  // namespace lathe
