#include "optimizer/passes/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

std::vector<float> Operand(const Model& model, size_t op, size_t operand) {
  const Subgraph& graph = model.subgraphs[0];
  const absl::Span<const float> values = model.FloatData(graph.tensor(graph.ops[op].inputs[operand]));
  return {values.begin(), values.end()};
}

// Largest magnitude of [rows, columns] weights in each row (column).
std::vector<float> LargestOfRows(const std::vector<float>& weights, size_t rows) {
  std::vector<float> largest(rows, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    float& row = largest[i / (weights.size() / rows)];
    row = std::max(row, std::fabs(weights[i]));
  }
  return largest;
}
std::vector<float> LargestOfColumns(const std::vector<float>& weights, size_t columns) {
  std::vector<float> largest(columns, 0);
  for (size_t i = 0; i < weights.size(); ++i)
    largest[i % columns] = std::max(largest[i % columns], std::fabs(weights[i]));
  return largest;
}

// Two layers [8 -> 8 -> 8] whose hidden channels have scales up to 2^12 apart.
Model TwoLayers(ModelBuilder& builder, TensorId* hidden) {
  const TensorId x = builder.Input("x", {1, 8});
  std::vector<float> first, bias, second;
  for (int i = 0; i < 64; ++i) {
    const float random = std::sin(static_cast<float>(i) * 1.7f) + 1.5f;
    first.push_back(std::ldexp(random, (i / 8) * 2 - 7));
    second.push_back(std::ldexp(2.5f - random, 7 - (i % 8) * 2));
  }
  for (int i = 0; i < 8; ++i) bias.push_back(std::ldexp(1.0f, i * 2 - 7));
  *hidden = builder.Activation("hidden", {1, 8});
  FullyConnectedOptions relu;
  relu.activation = Activation::kRelu;
  builder.AddOp(OpKind::kFullyConnected, {x, builder.Constant("w1", {8, 8}, first), builder.Constant("b1", {8}, bias)},
                {*hidden}, MakeFullyConnectedOptions(relu));
  const TensorId y = builder.Activation("y", {1, 8});
  builder.AddOp(OpKind::kFullyConnected, {*hidden, builder.Constant("w2", {8, 8}, second)}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(y);
  builder.AddSignature("serve");
  return builder.Build();
}

TEST(EqualizePassTest, BalancesWhatWritesAndWhatReadsAChannel) {
  ModelBuilder builder;
  TensorId hidden;
  const Model model = TwoLayers(builder, &hidden);
  const Model result = ExpectPassProperties(EqualizePass({}), model);
  const std::vector<float> rows = LargestOfRows(Operand(result, 0, 1), 8);
  const std::vector<float> columns = LargestOfColumns(Operand(result, 1, 1), 8);
  for (size_t c = 1; c < 8; ++c) {
    const float ratio = rows[c] / columns[c] / (rows[0] / columns[0]);
    EXPECT_NEAR(ratio, 1, 0.01) << "channel " << c;
  }
  // The original is 2^28 apart.
  const std::vector<float> old_rows = LargestOfRows(Operand(model, 0, 1), 8);
  EXPECT_GT(std::log2(old_rows[7] / old_rows[0]), 10.0f);
}

TEST(EqualizePassTest, FactorsCancelBetweenTheLayers) {
  ModelBuilder builder;
  TensorId hidden;
  const Model model = TwoLayers(builder, &hidden);
  Model result = model;
  const auto equalization = Equalize(result, nullptr, {});
  ASSERT_TRUE(equalization.ok());
  const std::vector<float>& divisors = equalization->divisors.at(hidden);
  const auto w1 = Operand(model, 0, 1), w2 = Operand(model, 1, 1), b1 = Operand(model, 0, 2);
  const auto v1 = Operand(result, 0, 1), v2 = Operand(result, 1, 1), c1 = Operand(result, 0, 2);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_FLOAT_EQ(v1[i] * divisors[i / 8], w1[i]);
    EXPECT_FLOAT_EQ(v2[i] / divisors[i % 8], w2[i]);
  }
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(c1[i] * divisors[i], b1[i]);
}

TEST(EqualizePassTest, DepthwiseChainIsChangedInPlace) {
  ModelBuilder builder;
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 3}), 6, 3, 1, {.activation = Activation::kRelu});
  x = builder.DepthwiseConv2d(x, 3, 2, {.activation = Activation::kRelu});
  builder.Output(builder.Conv2d(x, 4, 1, 3));
  const Model model = builder.Build();
  const Model result = ExpectPassProperties(EqualizePass({}), model);
  EXPECT_EQ(result.subgraphs[0].tensors.size(), model.subgraphs[0].tensors.size());
}

TEST(EqualizePassTest, SharedWeightsAreCopiedForTheReaderThatChanges) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8});
  std::vector<float> steep;
  for (int i = 0; i < 64; ++i) steep.push_back(std::ldexp(1.0f, i / 8));
  const TensorId weights = builder.Constant("w", {8, 8}, steep);
  const TensorId a = builder.Activation("a", {1, 8}), b = builder.Activation("b", {1, 8}),
                 c = builder.Activation("c", {1, 8});
  builder.AddOp(OpKind::kFullyConnected, {x, weights}, {a}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {a, weights}, {b}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {x, weights}, {c}, MakeFullyConnectedOptions({}));
  builder.Output(b);
  builder.Output(c);
  const Model result = ExpectPassProperties(EqualizePass({}), builder.Build());
  EXPECT_EQ(Operand(result, 2, 1), steep);
  EXPECT_NE(Operand(result, 0, 1), steep);
  EXPECT_NE(Operand(result, 1, 1), steep);
}

TEST(EqualizePassTest, NothingToBalanceChangesNothing) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Input("x", {1, 8, 8, 3}), 6, 3, 1));
  const Model model = builder.Build();
  PassContext context;
  Model copy = model;
  const auto change = RunPass(EqualizePass({}), copy, context);
  ASSERT_TRUE(change.ok());
  EXPECT_FALSE(change->changed());
}

TEST(EqualizePassTest, AlphaWithoutStatsIsAnError) {
  ModelBuilder builder;
  TensorId hidden;
  Model model = TwoLayers(builder, &hidden);
  EXPECT_EQ(ReasonOf(Equalize(model, nullptr, {.alpha = 0.5f}).status()), "STATS_MISSING");
}

TEST(EqualizePassTest, AlphaOneMakesChannelsEquallyWide) {
  ModelBuilder builder;
  TensorId hidden;
  Model model = TwoLayers(builder, &hidden);
  ActivationStats stats;
  TensorStats seen;
  for (int c = 0; c < 8; ++c) {
    seen.channels.push_back({0, std::ldexp(1.0f, c)});
    seen.range.max = seen.channels.back().max;
  }
  stats.Set(hidden, seen);
  const auto equalization = Equalize(model, &stats, {.cross_layer = false, .alpha = 1.0f});
  ASSERT_TRUE(equalization.ok());
  ApplyToStats(*equalization, stats);
  const TensorStats& now = *stats.Find(hidden);
  for (const TensorRange& range : now.channels) {
    EXPECT_FLOAT_EQ(range.max, now.range.max);
  }
  EXPECT_GT(now.range.max, 0);
}

TEST(EqualizePassTest, ClipThatNeverActedBecomesRelu) {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 3}), 2, 3, 1, {.activation = Activation::kRelu6});
  const TensorId clipped = builder.Activation("clipped", {1, 8, 8, 2});
  builder.AddOp(OpKind::kRelu6, {x}, {clipped});
  builder.Output(builder.Conv2d(clipped, 4, 1, 3));
  Model model = builder.Build();
  ActivationStats stats;
  const TensorStats wide{{0, 5}, {{0, 5}, {0, 0.01f}}};
  stats.Set(x, wide);
  stats.Set(clipped, wide);
  const auto equalization = Equalize(model, &stats, {.alpha = 1.0f});
  ASSERT_TRUE(equalization.ok());
  EXPECT_EQ(equalization->scaled_tensors, 2);
  EXPECT_EQ(FusedActivation(model.subgraphs[0].ops[0]), Activation::kRelu);
  EXPECT_EQ(model.subgraphs[0].ops[1].kind, OpKind::kRelu);
  EXPECT_EQ(model.subgraphs[0].ops[1].outputs[0], clipped);
}

TEST(EqualizePassTest, StatsOfAFlattenedTensorFollowItsSource) {
  Equalization equalization;
  equalization.divisors[TensorId(0)] = {1, 4};
  equalization.divisors[TensorId(1)] = {1, 4, 1, 4};
  equalization.same_values = {{TensorId(1), TensorId(0)}};
  ActivationStats stats;
  stats.Set(TensorId(0), {{-1, 8}, {{-1, 1}, {0, 8}}});
  stats.Set(TensorId(1), {{-1, 8}, {}});
  ApplyToStats(equalization, stats);
  EXPECT_EQ(stats.Find(TensorId(0))->range, (TensorRange{-1, 2}));
  EXPECT_EQ(stats.Find(TensorId(1))->range, (TensorRange{-1, 2}));
}

}  // namespace
}  // namespace lathe
