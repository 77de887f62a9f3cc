#include "optimizer/passes/integer_weights_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "optimizer/passes/settings_table.h"
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
  builder.AddOp(OpKind::kMaximum, {y, w}, {z});
  builder.Output(z);
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), builder.Build());
  EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[0]).type, TensorType::kInt8);
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

QuantizeSettings Weights(int bits, const std::string& granularity, int block_size = 32) {
  QuantizeSettings settings;
  settings.weights.bits = bits;
  settings.weights.granularity = granularity;
  settings.weights.block_size = block_size;
  return settings;
}

TEST(IntegerWeightsPassTest, BlockwiseWeightsNameTheirScales) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 96}), 64, 1));
  const Model result =
      ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange, Weights(4, "block")), builder.Build());
  const Tensor& weights = WeightsOf(result, result.subgraphs[0].ops[0]);
  EXPECT_EQ(weights.type, TensorType::kInt4);
  EXPECT_TRUE(weights.quantization.scale.empty());
  EXPECT_EQ(weights.quantization.quantized_dimension, 0);
  EXPECT_EQ(GetQuantizationBlockSize(weights.quantization), 32);
  const Tensor& scales = result.subgraphs[0].tensor(DetailTensors(weights.quantization)[0]);
  EXPECT_EQ(scales.type, TensorType::kFloat16);
  EXPECT_EQ(scales.shape, (std::vector<int32_t>{64, 3}));
  EXPECT_TRUE(result.IsConstant(scales));
}

TEST(IntegerWeightsPassTest, NarrowWeightsArePacked) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 96}), 64, 1));
  const Model model = builder.Build();
  for (const auto& [bits, type, bytes, version] :
       {std::tuple(4, TensorType::kInt4, size_t{3072}, 10), {2, TensorType::kInt2, 1536, 14}}) {
    const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange, Weights(bits, "tensor")), model);
    const Tensor& weights = WeightsOf(result, result.subgraphs[0].ops[0]);
    EXPECT_EQ(weights.type, type);
    EXPECT_EQ(result.buffer(weights.buffer).bytes().size(), bytes);
    EXPECT_EQ(weights.quantization.scale.size(), 1u);
    EXPECT_EQ(result.subgraphs[0].ops[0].version, version);
  }
}

TEST(IntegerWeightsPassTest, ChosenLevelsAndBiasShiftAreTaken) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 64}), 32, 1));
  Model model = builder.Build();
  WeightChoices choices;
  ChosenWeights& chosen = choices[OpId(0)];
  chosen.scales.assign(32, 0.5f);
  chosen.levels.assign(32 * 64, 3);
  chosen.bias_shift.assign(32, 1.0f);
  const float bias = model.FloatData(model.subgraphs[0].tensor(model.subgraphs[0].ops[0].inputs[2]))[0];
  PassContext context;
  context.weights = &choices;
  ASSERT_TRUE(RunPass(IntegerWeightsPass(Mode::kDynamicRange), model, context).ok());
  const Op& op = model.subgraphs[0].ops[0];
  EXPECT_EQ(WeightsOf(model, op).quantization.scale, chosen.scales);
  EXPECT_EQ(model.buffer(WeightsOf(model, op).buffer).bytes()[100], 3);
  EXPECT_EQ(model.FloatData(model.subgraphs[0].tensor(op.inputs[2]))[0], bias + 1.0f);
}

TEST(IntegerWeightsPassTest, TableOfInt8IsLookedUpBeforeDequantize) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, 8}, TensorType::kInt32), y = builder.Activation("y", {1, 8, 64});
  builder.AddOp(OpKind::kGather, {builder.RandomConstant("table", {256, 64}, 1), ids}, {y}, MakeGatherOptions(0));
  builder.Output(y);
  builder.AddSignature("serve");
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), builder.Build());
  const Subgraph& graph = result.subgraphs[0];
  ASSERT_EQ(graph.ops.size(), 2u);
  EXPECT_EQ(graph.ops[0].version, 2);
  const Tensor &table = graph.tensor(graph.ops[0].inputs[0]), &rows = graph.tensor(graph.ops[0].outputs[0]);
  EXPECT_EQ(table.type, TensorType::kInt8);
  EXPECT_EQ(rows.type, TensorType::kInt8);
  EXPECT_EQ(rows.quantization.scale, table.quantization.scale);
  EXPECT_EQ(rows.quantization.zero_point, table.quantization.zero_point);
  EXPECT_EQ(graph.ops[1].kind, OpKind::kDequantize);
  EXPECT_EQ(graph.ops[1].outputs[0], graph.outputs[0]);
}

TEST(IntegerWeightsPassTest, TableThatIsAlsoWeightsIsStoredOnce) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, 8}, TensorType::kInt32),
                 table = builder.RandomConstant("t", {256, 64}, 1);
  const TensorId rows = builder.Activation("rows", {1, 8, 64}), y = builder.Activation("y", {8, 256});
  builder.AddOp(OpKind::kGather, {table, ids}, {rows}, MakeGatherOptions(0));
  builder.AddOp(OpKind::kFullyConnected, {rows, table, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kDynamicRange), builder.Build());
  uint64_t bytes = 0;
  for (const Buffer& buffer : result.buffers) bytes += buffer.bytes().size();
  EXPECT_EQ(bytes, 256u * 64u);
}

TEST(IntegerWeightsPassTest, RecurrentModeTakesOnlyRecurrentOperatorsOfFullInteger) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4, 32}), w = builder.RandomConstant("w", {48, 32}, 1);
  const TensorId r = builder.RandomConstant("r", {48, 48}, 2), b = builder.RandomConstant("b", {48}, 3);
  const TensorId state = builder.Activation("state", {1, 48}), y = builder.Activation("y", {1, 4, 48});
  builder.model().subgraphs[0].tensor(state).is_variable = true;
  builder.AddOp(OpKind::kUnidirectionalSequenceRnn, {x, w, r, b, state}, {y});
  builder.Output(builder.FullyConnected(y, 64, 4));
  const Model model = builder.Build();
  const Model result = ExpectPassProperties(IntegerWeightsPass(Mode::kRecurrent), model);
  EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[0]).type, TensorType::kInt8);
  EXPECT_EQ(result.subgraphs[0].ops[0].version, 2);
  EXPECT_EQ(WeightsOf(result, result.subgraphs[0].ops[1]).type, TensorType::kFloat32);
  // An operator that a rule gives to another scheme stays.
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kDynamicRange;
  const auto table = SettingsTable::Resolve(model, recipe);
  ASSERT_TRUE(table.ok());
  Model other = model;
  PassContext context;
  context.settings = &*table;
  const auto change = RunPass(IntegerWeightsPass(Mode::kRecurrent), other, context);
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->count, 0);
}

TEST(IntegerWeightsPassTest, SickWeightsBehindHealthyOnesAreAnError) {
  ModelBuilder builder;
  TensorId x = builder.FullyConnected(builder.Input("x", {1, 64}), 64, 1);
  const TensorId y = builder.Activation("y", {1, 32});
  std::vector<float> values(64 * 32, 1);
  values[17] = std::nanf("");
  builder.AddOp(OpKind::kFullyConnected, {x, builder.Constant("sick", {32, 64}, values), TensorId()}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(y);
  Model model = builder.Build();
  PassContext context;
  EXPECT_EQ(ReasonOf(RunPass(IntegerWeightsPass(Mode::kDynamicRange), model, context).status()), "WEIGHTS_NOT_FINITE");
}

}  // namespace
}  // namespace lathe
