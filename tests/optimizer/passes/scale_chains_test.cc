#include "optimizer/passes/scale_chains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/op_options.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScaleChainsTest : public ::testing::Test {
 protected:
  TensorId Apply(OpKind kind, std::vector<TensorId> inputs, std::vector<int32_t> shape, OpOptions options = {}) {
    const TensorId out = builder_.Activation("a", std::move(shape));
    builder_.AddOp(kind, std::move(inputs), {out}, std::move(options));
    return out;
  }
  TensorId Start(int32_t channels) { return builder_.Conv2d(builder_.Input("x", {1, 4, 4, 3}), channels, 1, 1); }
  ScaleChains Finish(TensorId last, const ActivationStats* stats = nullptr) {
    builder_.Output(builder_.Conv2d(last, 2, 1, 9));
    model_ = builder_.Build();
    return FindScaleChains(model_, stats);
  }

  ModelBuilder builder_;
  Model model_;
};

TEST_F(ScaleChainsTest, InputsAndOutputsKeepTheirScale) {
  const TensorId middle = Start(4);
  const ScaleChains chains = Finish(middle);
  ASSERT_EQ(chains.activations.size(), 1u);
  EXPECT_THAT(chains.activations.at(middle), ElementsAre(0, 1, 2, 3));
  ASSERT_EQ(chains.weights.size(), 2u);
  EXPECT_THAT(chains.weights[0].columns, Each(kNoGroup));
  EXPECT_THAT(chains.weights[0].rows, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(chains.weights[1].columns, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(chains.weights[1].rows, Each(kNoGroup));
  EXPECT_EQ(chains.component_count, 1u);
}

TEST_F(ScaleChainsTest, ResidualBranchesShareTheirGroups) {
  const TensorId a = Start(4);
  const TensorId b = Apply(OpKind::kLeakyRelu, {builder_.Conv2d(a, 4, 1, 3)}, {1, 4, 4, 4}, MakeLeakyReluOptions(0.1f));
  const TensorId sum = Apply(OpKind::kAdd, {a, b}, {1, 4, 4, 4}, MakeAddOptions(Activation::kRelu));
  const ScaleChains chains = Finish(sum);
  EXPECT_EQ(chains.group_count, 4u);
  EXPECT_EQ(chains.activations.at(a), chains.activations.at(sum));
  EXPECT_EQ(chains.activations.at(b), chains.activations.at(sum));
}

TEST_F(ScaleChainsTest, ConstantOfASumIsScaledWithIt) {
  const TensorId sum =
      Apply(OpKind::kSub, {builder_.RandomConstant("c", {4}, 5), Start(4)}, {1, 4, 4, 4}, MakeSubOptions());
  const ScaleChains chains = Finish(sum);
  ASSERT_EQ(chains.constants.size(), 1u);
  EXPECT_EQ(chains.constants[0].operand, 0u);
  EXPECT_EQ(chains.constants[0].channels, chains.activations.at(sum));
}

TEST_F(ScaleChainsTest, OneConstantForAllChannelsStops) {
  const TensorId sum = Apply(OpKind::kAdd, {Start(4), builder_.Constant("c", {1}, std::vector<float>{3})}, {1, 4, 4, 4},
                             MakeAddOptions());
  EXPECT_EQ(Finish(sum).group_count, 0u);
}

TEST_F(ScaleChainsTest, MultiplierForEachChannelTakesFactorsOnBothSides) {
  const TensorId product =
      Apply(OpKind::kMul, {Start(4), builder_.RandomConstant("c", {1, 1, 4}, 5)}, {1, 4, 4, 4}, MakeMulOptions());
  const ScaleChains chains = Finish(product);
  EXPECT_EQ(chains.group_count, 8u);
  ASSERT_EQ(chains.weights.size(), 3u);
  EXPECT_TRUE(chains.weights[1].grid.depthwise);
}

TEST_F(ScaleChainsTest, GateKeepsItsScale) {
  const TensorId x = Start(4);
  const TensorId gate = builder_.Conv2d(Apply(OpKind::kAveragePool2d, {x}, {1, 1, 1, 4},
                                              MakePoolOptions({.same_padding = false, .filter_h = 4, .filter_w = 4})),
                                        4, 1, 3);
  const TensorId open = Apply(OpKind::kLogistic, {gate}, {1, 1, 1, 4});
  const TensorId y = Apply(OpKind::kMul, {x, open}, {1, 4, 4, 4}, MakeMulOptions());
  const ScaleChains chains = Finish(y);
  EXPECT_EQ(chains.activations.at(x), chains.activations.at(y));
  EXPECT_EQ(chains.activations.count(gate), 0u);
  EXPECT_EQ(chains.activations.count(open), 0u);
}

TEST_F(ScaleChainsTest, ChannelPaddingShiftsAndLeavesNewChannelsFree) {
  const TensorId narrow = Start(2);
  const TensorId padded =
      Apply(OpKind::kPad, {narrow, builder_.Constant("p", {4, 2}, std::vector<int32_t>{0, 0, 0, 0, 0, 0, 1, 1})},
            {1, 4, 4, 4});
  const ScaleChains chains = Finish(padded);
  const std::vector<int32_t>& groups = chains.activations.at(padded);
  EXPECT_EQ(chains.activations.at(narrow), (std::vector<int32_t>{groups[1], groups[2]}));
  EXPECT_EQ(chains.group_count, 4u);
}

TEST_F(ScaleChainsTest, ConcatenationAndSliceFollowTheirChannels) {
  const TensorId a = Start(2), b = builder_.Conv2d(a, 3, 1, 3);
  const TensorId joined = Apply(OpKind::kConcatenation, {a, b}, {1, 4, 4, 5}, MakeConcatenationOptions(3));
  const TensorId slice = Apply(OpKind::kSlice,
                               {joined, builder_.Constant("begin", {4}, std::vector<int32_t>{0, 0, 0, 1}),
                                builder_.Constant("size", {4}, std::vector<int32_t>{1, 4, 4, 3})},
                               {1, 4, 4, 3});
  const ScaleChains chains = Finish(slice);
  const std::vector<int32_t>& groups = chains.activations.at(joined);
  EXPECT_EQ(chains.activations.at(slice), (std::vector<int32_t>{groups[1], groups[2], groups[3]}));
  EXPECT_EQ(chains.activations.at(b), (std::vector<int32_t>{groups[2], groups[3], groups[4]}));
}

TEST_F(ScaleChainsTest, FlattenedImageKeepsOneGroupAChannel) {
  const TensorId x = Start(4);
  const TensorId flat = Apply(OpKind::kReshape, {x, builder_.Constant("s", {2}, std::vector<int32_t>{1, 64})}, {1, 64},
                              MakeReshapeOptions({1, 64}));
  builder_.Output(builder_.FullyConnected(flat, 2, 7));
  const Model model = builder_.Build();
  const ScaleChains chains = FindScaleChains(model, nullptr);
  EXPECT_EQ(chains.group_count, 4u);
  EXPECT_EQ(chains.weights[1].columns[5], chains.weights[0].rows[1]);
}

TEST_F(ScaleChainsTest, UnknownOperatorsAndFurtherReadersStop) {
  const TensorId x = Start(4);
  builder_.Output(Apply(OpKind::kTanh, {x}, {1, 4, 4, 4}));
  EXPECT_EQ(Finish(x).group_count, 0u);
}

TEST_F(ScaleChainsTest, Relu6StopsUnlessItNeverClipped) {
  const TensorId x = Apply(OpKind::kRelu6, {Start(2)}, {1, 4, 4, 2});
  EXPECT_EQ(Finish(x).group_count, 0u);
  ActivationStats stats;
  stats.Set(x, {{0, 6}, {{0, 5}, {0, 6}}});
  EXPECT_EQ(FindScaleChains(model_, &stats).group_count, 0u);
  stats.Set(x, {{0, 5}, {{0, 5}, {0, 5}}});
  EXPECT_EQ(FindScaleChains(model_, &stats).group_count, 2u);
}

TEST_F(ScaleChainsTest, SumOverChannelsStops) {
  const TensorId x = Start(4);
  const TensorId mean = Apply(OpKind::kMean, {x, builder_.Constant("axes", {1}, std::vector<int32_t>{-1})},
                              {1, 4, 4, 1}, MakeReducerOptions(true));
  EXPECT_EQ(Finish(mean).activations.count(x), 0u);
}

TEST_F(ScaleChainsTest, WeightsThatAreNotFiniteStop) {
  const TensorId x = Start(2), y = builder_.Activation("y", {1, 4, 4, 2});
  builder_.AddOp(OpKind::kConv2d, {x, builder_.Constant("w", {2, 1, 1, 2}, std::vector<float>{1, NAN, 1, 1})}, {y},
                 MakeConvOptions({}));
  EXPECT_EQ(Finish(y).group_count, 0u);
}

}  // namespace
}  // namespace lathe
