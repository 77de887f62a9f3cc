#include "optimizer/passes/scale_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

const ScaleGroup* FindGroup(const std::vector<ScaleGroup>& groups, TensorId tensor) {
  for (const ScaleGroup& group : groups) {
    if (std::find(group.tensors.begin(), group.tensors.end(), tensor) != group.tensors.end()) return &group;
  }
  return nullptr;
}

// x -> conv -> a -> RESHAPE -> b, conv -> c; CONCATENATION(b, c) -> d. What feeds nothing but the concatenation has its
// scale, through the reshape.
TEST(ScaleGroupsTest, ConcatenationDecidesForWhatFeedsItAlone) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4, 4, 4});
  const TensorId a = builder.Conv2d(x, 8, 1, 1), c = builder.Conv2d(x, 8, 1, 2);
  const TensorId b = builder.Activation("b", {1, 4, 4, 8}), d = builder.Activation("d", {1, 4, 4, 16});
  builder.AddOp(OpKind::kReshape, {a}, {b}, MakeReshapeOptions({1, 4, 4, 8}));
  builder.AddOp(OpKind::kConcatenation, {b, c}, {d}, MakeConcatenationOptions(3));
  builder.Output(d);
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, {});
  const ScaleGroup* group = FindGroup(groups, d);
  ASSERT_NE(group, nullptr);
  EXPECT_THAT(group->tensors, ::testing::UnorderedElementsAre(a, b, c, d));
  EXPECT_THAT(group->measured, ElementsAre(d));
}

TEST(ScaleGroupsTest, OperandThatSomethingElseReadsKeepsItsOwnScale) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4, 4, 4});
  const TensorId a = builder.Conv2d(x, 8, 1, 1), c = builder.Conv2d(a, 8, 1, 2);
  const TensorId d = builder.Activation("d", {1, 4, 4, 16});
  builder.AddOp(OpKind::kConcatenation, {a, c}, {d}, MakeConcatenationOptions(3));
  builder.Output(d);
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, {});
  EXPECT_THAT(FindGroup(groups, a)->tensors, ElementsAre(a));
  EXPECT_THAT(FindGroup(groups, d)->tensors, ::testing::UnorderedElementsAre(c, d));
}

TEST(ScaleGroupsTest, ClampIsMeasuredAndWhatItClampsIsNot) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 4, 4, 4}), 8, 1, 1);
  const TensorId b = builder.Activation("b", {1, 4, 4, 8});
  builder.AddOp(OpKind::kRelu, {a}, {b});
  builder.Output(b);
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, {});
  EXPECT_THAT(FindGroup(groups, a)->tensors, ::testing::UnorderedElementsAre(a, b));
  EXPECT_THAT(FindGroup(groups, a)->measured, ElementsAre(b));
}

// Averages of clipped values are not clipped averages.
TEST(ScaleGroupsTest, OperandOfAveragingIsMeasured) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 4, 4, 4}), 8, 1, 1);
  const TensorId b = builder.Activation("b", {1, 2, 2, 8});
  PoolOptions pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  builder.AddOp(OpKind::kAveragePool2d, {a}, {b}, MakePoolOptions(pool));
  builder.Output(b);
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, {});
  EXPECT_THAT(FindGroup(groups, a)->measured, ::testing::UnorderedElementsAre(a, b));
}

TEST(ScaleGroupsTest, FixedScalesGoThroughSameScaleOperators) {
  ModelBuilder builder;
  const TensorId a = builder.FullyConnected(builder.Input("x", {1, 8}), 8, 1);
  const TensorId p = builder.Activation("p", {1, 8}), q = builder.Activation("q", {1, 8});
  const TensorId r = builder.Activation("r", {1, 16});
  builder.AddOp(OpKind::kLogistic, {a}, {p});
  builder.AddOp(OpKind::kLogistic, {a}, {q});
  builder.AddOp(OpKind::kConcatenation, {p, q}, {r}, MakeConcatenationOptions(1));
  builder.Output(r);
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, {});
  const ScaleGroup* group = FindGroup(groups, r);
  EXPECT_THAT(group->tensors, ::testing::UnorderedElementsAre(p, q, r));
  ASSERT_TRUE(group->fixed.has_value());
  EXPECT_EQ(group->fixed->scale, 1.0f / 256);
}

TEST(ScaleGroupsTest, TableOfGatherIsMeasuredWhole) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {3}, TensorType::kInt32);
  const TensorId table = builder.RandomConstant("table", {16, 4}, 1), y = builder.Activation("y", {3, 4});
  builder.AddOp(OpKind::kGather, {table, ids}, {y}, MakeGatherOptions(0));
  builder.Output(y);
  QuantizeSettings wide;
  wide.activations.bits = 16;
  const std::vector<ScaleGroup> groups = FindScaleGroups(builder.Build(), nullptr, wide);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].bits, 8);  // a table is a weight
  EXPECT_THAT(groups[0].measured, ::testing::UnorderedElementsAre(table, y));
}

}  // namespace
}  // namespace lathe
