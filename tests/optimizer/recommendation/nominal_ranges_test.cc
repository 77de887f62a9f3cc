#include "optimizer/recommendation/nominal_ranges.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

TEST(NominalRangesTest, EveryFloatActivationHasOneAndClampsAreKept) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 4});
  const TensorId conv = builder.Conv2d(input, 4, 3, 1, {.activation = Activation::kRelu6});
  const TensorId pooled = builder.Activation("pooled", {1, 4, 4, 4});
  builder.AddOp(OpKind::kMaxPool2d, {conv}, {pooled}, MakePoolOptions({.stride_h = 2, .stride_w = 2}));
  const TensorId squashed = builder.Activation("squashed", {1, 4, 4, 4});
  builder.AddOp(OpKind::kLogistic, {pooled}, {squashed});
  builder.Output(squashed);
  const Model model = builder.Build();
  const RangeTable ranges = NominalRanges(model);
  EXPECT_EQ(*ranges.Find(conv), (TensorRange{0, 6}));
  EXPECT_EQ(*ranges.Find(pooled), (TensorRange{0, 6}));  // handed on
  EXPECT_EQ(*ranges.Find(squashed), (TensorRange{0, 1}));
  EXPECT_LT(ranges.Find(input)->max, 8);
}

TEST(NominalRangesTest, NoTwoTensorsShareAGridByChance) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8});
  const TensorId first = builder.FullyConnected(input, 8, 1);
  const TensorId second = builder.FullyConnected(first, 8, 2);
  builder.Output(second);
  const Model model = builder.Build();
  const RangeTable ranges = NominalRanges(model);
  EXPECT_NE(*ranges.Find(first), *ranges.Find(second));
}

}  // namespace
}  // namespace lathe
