#include "optimizer/passes/fold_constants_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "optimizer/passes/float16_pass.h"
#include "optimizer/passes/integer_weights_pass.h"
#include "optimizer/passes/settings_table.h"
#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

QuantizeSettings Wants(Scheme scheme) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  return settings;
}

const Tensor& WeightsOf(const Model& model, OpKind kind) {
  for (const Op& op : model.subgraphs[0].ops) {
    if (op.kind == kind) return model.subgraphs[0].tensor(op.inputs[1]);
  }
  ADD_FAILURE() << "no " << OpKindName(kind);
  return model.subgraphs[0].tensors[0];
}

size_t Count(const Model& model, OpKind kind) {
  size_t count = 0;
  for (const Op& op : model.subgraphs[0].ops) count += op.kind == kind ? 1 : 0;
  return count;
}

Model TwoConvolutions() {
  ModelBuilder builder;
  builder.Output(builder.DepthwiseConv2d(builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 64, 3, 1), 3, 7));
  return builder.Build();
}

TEST(FoldConstantsPassTest, UndoesFloat16UpToRounding) {
  const Model original = TwoConvolutions();
  const Model halves = ExpectPassProperties(Float16Pass(), original);
  const Model floats = ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFullInteger)), halves);
  EXPECT_EQ(Count(floats, OpKind::kDequantize), 0u);
  const absl::Span<const float> before = original.FloatData(WeightsOf(original, OpKind::kConv2d));
  const absl::Span<const float> after = floats.FloatData(WeightsOf(floats, OpKind::kConv2d));
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    // One of the two neighbours in float16, not always the nearest (math/half_rounding.h).
    EXPECT_LE(std::fabs(after[i] - before[i]), std::fabs(before[i]) * 0x1p-10f + 1e-7f);
  }
  EXPECT_EQ(floats.buffers.size(), original.buffers.size()) << "the halves are gone";
}

TEST(FoldConstantsPassTest, Float16SchemeKeepsTheHalves) {
  const Model halves = ExpectPassProperties(Float16Pass(), TwoConvolutions());
  EXPECT_EQ(Count(ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFloat16)), halves), OpKind::kDequantize),
            Count(halves, OpKind::kDequantize));
}

TEST(FoldConstantsPassTest, RuleThatSkipsAnOperatorKeepsItsHalves) {
  Model halves = ExpectPassProperties(Float16Pass(), TwoConvolutions());
  for (size_t i = 0; i < halves.subgraphs[0].ops.size(); ++i)
    halves.subgraphs[0].ops[i].origin = static_cast<int32_t>(i);
  Recipe recipe;
  recipe.quantize = Wants(Scheme::kFullInteger);
  Rule& rule = recipe.rules.emplace_back();
  rule.selector.kinds = {"CONV_2D"};
  rule.skip = true;
  const absl::StatusOr<SettingsTable> settings = SettingsTable::Resolve(halves, recipe);
  ASSERT_TRUE(settings.ok()) << settings.status();
  PassContext context;
  context.settings = &*settings;
  Model result = halves;
  ASSERT_TRUE(RunPass(FoldConstantsPass(recipe.quantize), result, context).ok());
  EXPECT_FALSE(result.IsConstant(WeightsOf(result, OpKind::kConv2d)));
  EXPECT_TRUE(result.IsConstant(WeightsOf(result, OpKind::kDepthwiseConv2d)));
}

// A convolution whose int8 weights lie behind a DEQUANTIZE. `highest`: the largest level of every channel.
Model HalfQuantized(int highest, int64_t zero_point = 0) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 4});
  std::vector<uint8_t> levels(16 * 9 * 4);
  for (size_t i = 0; i < levels.size(); ++i) {
    const int level = static_cast<int>(i * 7919 % static_cast<size_t>(2 * highest + 1)) - highest;
    levels[i] = static_cast<uint8_t>(static_cast<int8_t>(level));
  }
  for (size_t c = 0; c < 16; ++c) levels[c * 36] = static_cast<uint8_t>(static_cast<int8_t>(highest));
  Quantization quantization;
  for (size_t c = 0; c < 16; ++c) {
    quantization.scale.push_back(0.001f * static_cast<float>(c + 1));
    quantization.zero_point.push_back(zero_point);
  }
  const TensorId stored = builder.Constant("w_int8", {16, 3, 3, 4}, TensorType::kInt8, levels, quantization);
  const TensorId weights = builder.Activation("w", {16, 3, 3, 4}), y = builder.Activation("y", {1, 8, 8, 16});
  builder.AddOp(OpKind::kDequantize, {stored}, {weights}, {}, 5);
  builder.AddOp(OpKind::kConv2d, {x, weights, builder.RandomConstant("b", {16}, 3)}, {y}, MakeConvOptions({}));
  builder.Output(y);
  return builder.Build();
}

TEST(FoldConstantsPassTest, HalfQuantizedWeightsComeBackAsTheVerySameIntegers) {
  // 127 uses the whole range; 90 does not, and a scale of largest / 127 would lose its grid.
  for (int highest : {127, 90}) {
    const Model half = HalfQuantized(highest);
    Model model = ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kDynamicRange)), half);
    ASSERT_EQ(Count(model, OpKind::kDequantize), 0u);
    PassContext context;
    ASSERT_TRUE(RunPass(IntegerWeightsPass(IntegerWeightsPass::Mode::kDynamicRange), model, context).ok());
    const Tensor& before = half.subgraphs[0].tensors[1];
    const Tensor& after = WeightsOf(model, OpKind::kConv2d);
    ASSERT_EQ(after.type, TensorType::kInt8);
    EXPECT_EQ(half.buffer(before.buffer).bytes(), model.buffer(after.buffer).bytes()) << "highest level " << highest;
    EXPECT_EQ(before.quantization.scale, after.quantization.scale) << "highest level " << highest;
  }
}

TEST(FoldConstantsPassTest, IntegersStayBehindTheirDequantizeWhereTheSchemeWantsThemThere) {
  const Model half = HalfQuantized(127);
  EXPECT_EQ(Count(ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kWeightOnly)), half), OpKind::kDequantize), 1u);
  QuantizeSettings four_bits = Wants(Scheme::kWeightOnly);
  four_bits.weights.bits = 4;
  EXPECT_EQ(Count(ExpectPassProperties(FoldConstantsPass(four_bits), half), OpKind::kDequantize), 0u);
}

TEST(FoldConstantsPassTest, AsymmetricWeightsStayBecauseTheirGridWouldBeLost) {
  EXPECT_EQ(Count(ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFullInteger)), HalfQuantized(90, 5)),
                  OpKind::kDequantize),
            1u);
}

// FULLY_CONNECTED with weights [4, 8] stored sparse in float16: DENSIFY, DEQUANTIZE, matrix.
Model SparseHalves() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8});
  const std::vector<uint8_t> one_and_two = {0x00, 0x3c, 0x00, 0x40};
  const TensorId sparse = builder.Constant("sparse", {4, 8}, TensorType::kFloat16, one_and_two);
  SetSparsity(builder.model().subgraphs[0].tensor(sparse),
              {.traversal_order = {0, 1},
               .block_map = {},
               .dimensions = {{.dense = true, .dense_size = 4},
                              {.dense = false, .segments = {0, 1, 1, 1, 2}, .indices = {3, 5}}}});
  const TensorId dense = builder.Activation("dense", {4, 8}, TensorType::kFloat16);
  const TensorId weights = builder.Activation("w", {4, 8}), y = builder.Activation("y", {1, 4});
  builder.AddOp(OpKind::kDensify, {sparse}, {dense});
  builder.AddOp(OpKind::kDequantize, {dense}, {weights}, {}, 3);
  builder.AddOp(OpKind::kFullyConnected, {x, weights, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  return builder.Build();
}

TEST(FoldConstantsPassTest, SparseHalvesBecomeDenseFloats) {
  const Model result = ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kWeightOnly)), SparseHalves());
  ASSERT_EQ(result.subgraphs[0].ops.size(), 1u);
  std::vector<float> expected(32, 0.0f);
  expected[3] = 1;
  expected[3 * 8 + 5] = 2;
  EXPECT_THAT(result.FloatData(WeightsOf(result, OpKind::kFullyConnected)), ::testing::ElementsAreArray(expected));
}

TEST(FoldConstantsPassTest, Float16SchemeKeepsSparseConstants) {
  EXPECT_EQ(ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFloat16)), SparseHalves()).subgraphs[0].ops.size(),
            3u);
}

TEST(FoldConstantsPassTest, WholeConstantSubgraphsBecomeOneConstant) {
  // What converters leave of batch normalisation: gamma * rsqrt(variance + epsilon), then a shape.
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2, 2, 2}), y = builder.Activation("y", {1, 2, 2, 2});
  const TensorId a = builder.Activation("a", {2}), r = builder.Activation("r", {2}), s = builder.Activation("s", {2});
  const TensorId shaped = builder.Activation("shaped", {1, 1, 1, 2});
  builder.AddOp(OpKind::kAdd,
                {builder.Constant("variance", {2}, std::vector<float>{3.75f, 0}),
                 builder.Constant("epsilon", {}, std::vector<float>{0.25f})},
                {a}, MakeAddOptions());
  builder.AddOp(OpKind::kRsqrt, {a}, {r});
  builder.AddOp(OpKind::kMul, {r, builder.Constant("gamma", {2}, std::vector<float>{3, -1})}, {s}, MakeMulOptions());
  builder.AddOp(OpKind::kReshape, {s, builder.Constant("shape", {4}, std::vector<int32_t>{1, 1, 1, 2})}, {shaped},
                MakeReshapeOptions({1, 1, 1, 2}));
  builder.AddOp(OpKind::kMul, {x, shaped}, {y}, MakeMulOptions());
  builder.Output(y);
  const Model result = ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFloat16)), builder.Build());
  ASSERT_EQ(result.subgraphs[0].ops.size(), 1u);
  EXPECT_THAT(result.FloatData(WeightsOf(result, OpKind::kMul)), ElementsAre(1.5f, -2.0f));
  EXPECT_EQ(result.buffers.size(), 2u);
}

TEST(FoldConstantsPassTest, OutputsOfTheGraphAreStillComputed) {
  ModelBuilder builder;
  const TensorId y = builder.Activation("y", {2});
  builder.Input("x", {2});
  const TensorId c = builder.Constant("c", {2}, std::vector<float>{1, 2});
  builder.AddOp(OpKind::kAdd, {c, c}, {y}, MakeAddOptions());
  builder.Output(y);
  EXPECT_EQ(ExpectPassProperties(FoldConstantsPass(Wants(Scheme::kFloat16)), builder.Build()).subgraphs[0].ops.size(),
            1u);
}

}  // namespace
}  // namespace lathe
