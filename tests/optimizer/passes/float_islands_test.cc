#include "optimizer/passes/float_islands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/op_options.h"
#include "optimizer/passes/scale_groups.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

// A residual block between PRELUs, which stay float: x -> PRELU -> a; conv(a) + shortcut(a) -> sum -> PRELU.
struct Block {
  ModelBuilder builder;
  TensorId a, conv;

  Block() {
    const TensorId x = builder.Input("x", {1, 4, 4, 8});
    a = Prelu(builder.Conv2d(x, 8, 1, 1), "a");
    conv = builder.Conv2d(a, 8, 1, 2);
  }
  TensorId Prelu(TensorId x, const std::string& name) {
    const TensorId y = builder.Activation(name, {1, 4, 4, 8});
    builder.AddOp(OpKind::kPrelu, {x, builder.RandomConstant(name + " slopes", {1, 1, 8}, 3)}, {y});
    return y;
  }
  TensorId Add(TensorId left, TensorId right) {
    const TensorId sum = builder.Activation("sum", {1, 4, 4, 8});
    builder.AddOp(OpKind::kAdd, {left, right}, {sum}, MakeAddOptions());
    return sum;
  }
};

std::vector<int> WidthsOf(const Model& model, const QuantizeSettings& settings = {}) {
  return ChooseWidths(model, nullptr, settings);
}

TEST(FindFloatSumsTest, SumBetweenFloatOperatorsStaysFloat) {
  Block block;
  block.builder.Output(block.Prelu(block.Add(block.a, block.conv), "b"));
  const Model model = block.builder.Build();
  EXPECT_THAT(WidthsOf(model), ElementsAre(8, 0, 8, 0, 0));
  QuantizeSettings strict;
  strict.require_full_integer = true;
  EXPECT_THAT(WidthsOf(model, strict), ElementsAre(8, 8, 8, 8, 8));
}

TEST(FindFloatSumsTest, ShortcutThatMovesValuesStaysFloatToo) {
  Block block;
  const TensorId pooled = block.builder.Activation("pooled", {1, 4, 4, 8});
  PoolOptions pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 1;
  block.builder.AddOp(OpKind::kMaxPool2d, {block.a}, {pooled}, MakePoolOptions(pool));
  block.builder.Output(block.Prelu(block.Add(pooled, block.conv), "b"));
  EXPECT_THAT(WidthsOf(block.builder.Build()), ElementsAre(8, 0, 8, 0, 0, 0));
}

TEST(FindFloatSumsTest, SumOfIntegersIsOne) {
  Block block;
  block.builder.Output(block.Prelu(block.Add(block.builder.Conv2d(block.a, 8, 1, 4), block.conv), "b"));
  EXPECT_THAT(WidthsOf(block.builder.Build()), ElementsAre(8, 0, 8, 8, 8, 0));
}

TEST(FindFloatSumsTest, SumThatIntegersReadIsOne) {
  Block block;
  const TensorId sum = block.Add(block.a, block.conv);
  block.builder.Output(block.Prelu(sum, "b"));
  block.builder.Output(block.builder.Conv2d(sum, 8, 1, 4));
  EXPECT_THAT(WidthsOf(block.builder.Build()), ElementsAre(8, 0, 8, 8, 0, 8));
}

}  // namespace
}  // namespace lathe
