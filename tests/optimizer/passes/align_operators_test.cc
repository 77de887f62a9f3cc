#include "optimizer/passes/align_operators.h"

#include <gmock/gmock.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A chain of equal layers under the names of `layers`.
Model Chain(const std::vector<std::string>& layers, int32_t units = 8) {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, units});
  uint32_t seed = 1;
  for (const std::string& name : layers) {
    const TensorId y = builder.Activation(name, {1, units});
    builder.AddOp(OpKind::kFullyConnected, {x, builder.RandomConstant(name + "/w", {units, units}, ++seed)}, {y},
                  MakeFullyConnectedOptions({}));
    x = y;
  }
  builder.Output(x);
  return builder.Build();
}

TEST(AlignOperatorsTest, NamesTellRepeatedLayersApart) {
  const OperatorAlignment alignment = AlignOperators(Chain({"a", "b", "c", "d"}), Chain({"a", "c", "d"}));
  EXPECT_THAT(alignment.pairs, ElementsAre(Pair(OpId(0), OpId(0)), Pair(OpId(2), OpId(1)), Pair(OpId(3), OpId(2))));
  EXPECT_THAT(alignment.only_a, ElementsAre(OpId(1)));
  EXPECT_THAT(alignment.only_b, IsEmpty());
}

TEST(AlignOperatorsTest, NeedsNoNames) {
  const OperatorAlignment alignment = AlignOperators(Chain({"a", "b", "c"}), Chain({"x", "y", "z"}));
  EXPECT_EQ(alignment.pairs.size(), 3u);
}

TEST(AlignOperatorsTest, OtherShapesAreOtherOperators) {
  const OperatorAlignment alignment = AlignOperators(Chain({"a"}, 8), Chain({"a"}, 16));
  EXPECT_THAT(alignment.pairs, IsEmpty());
  EXPECT_THAT(alignment.only_a, ElementsAre(OpId(0)));
  EXPECT_THAT(alignment.only_b, ElementsAre(OpId(0)));
}

TEST(AlignOperatorsTest, PassesOverDequantizedWeights) {
  ModelBuilder builder;
  const TensorId half = builder.Constant("a/w16", {8, 8}, TensorType::kFloat16, std::vector<uint8_t>(128));
  const TensorId weights = builder.Activation("a/w", {8, 8}), y = builder.Activation("a", {1, 8});
  builder.AddOp(OpKind::kDequantize, {half}, {weights});
  builder.AddOp(OpKind::kFullyConnected, {builder.Input("x", {1, 8}), weights}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  const OperatorAlignment alignment = AlignOperators(Chain({"a"}), builder.Build());
  EXPECT_THAT(alignment.pairs, ElementsAre(Pair(OpId(0), OpId(1))));
  EXPECT_THAT(alignment.only_b, IsEmpty());
}

// Two files of so many operators that only a band of the table is looked at.
TEST(AlignOperatorsTest, LongFilesAlignNearTheDiagonal) {
  ModelBuilder builders[2];
  for (int side = 0; side < 2; ++side) {
    TensorId x = builders[side].Input("x", {1});
    for (int i = 0; i < 7000; ++i) {
      if (side == 1 && i % 1000 == 500) continue;  // seven are missing
      const TensorId y = builders[side].Activation("t" + std::to_string(i), {1});
      builders[side].AddOp(i % 3 == 0 ? OpKind::kTanh : OpKind::kLogistic, {x}, {y});
      x = y;
    }
    builders[side].Output(x);
  }
  const OperatorAlignment alignment = AlignOperators(builders[0].Build(), builders[1].Build());
  EXPECT_EQ(alignment.pairs.size(), 6993u);
  EXPECT_EQ(alignment.only_a.size(), 7u);
}

}  // namespace
}  // namespace lathe
