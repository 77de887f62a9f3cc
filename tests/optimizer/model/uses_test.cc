#include "optimizer/model/uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(UseMapTest, FindsReadersAndWriters) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4});
  const TensorId sum = builder.Activation("sum", {1, 4});
  const TensorId relu = builder.Activation("relu", {1, 4});
  const TensorId product = builder.Activation("product", {1, 4});
  builder.AddOp(OpKind::kAdd, {x, x}, {sum}, MakeAddOptions());
  builder.AddOp(OpKind::kRelu, {sum}, {relu});
  builder.AddOp(OpKind::kMul, {relu, sum}, {product}, MakeMulOptions());
  builder.Output(product);
  const Model model = builder.Build();

  const UseMap uses(model.subgraphs[0]);
  EXPECT_THAT(uses.consumers(x), ElementsAre(OpId(0)));  // once, though read twice
  EXPECT_THAT(uses.consumers(sum), ElementsAre(OpId(1), OpId(2)));
  EXPECT_THAT(uses.consumers(product), IsEmpty());
  EXPECT_FALSE(uses.producer(x).valid());
  EXPECT_EQ(uses.producer(relu), OpId(1));
  EXPECT_TRUE(uses.IsSubgraphInput(x));
  EXPECT_FALSE(uses.IsSubgraphOutput(x));
  EXPECT_TRUE(uses.IsSubgraphOutput(product));
}

TEST(UseMapTest, SkipsOperandsLeftOut) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4});
  const TensorId weights = builder.RandomConstant("w", {2, 4}, 1);
  const TensorId y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kFullyConnected, {x, weights, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  const Model model = builder.Build();
  EXPECT_THAT(UseMap(model.subgraphs[0]).consumers(weights), ElementsAre(OpId(0)));
}

}  // namespace
}  // namespace lathe
