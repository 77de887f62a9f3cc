#include "optimizer/passes/absorb_bias.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/model_verifier.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

// conv [1, 4, 4, 2] -> 1x1 conv, both with given weights and biases. Channel 0 of "hidden" was seen in [8, 10], channel
// 1 in [-1, 1].
class AbsorbBiasTest : public ::testing::Test {
 protected:
  TensorId Layer(TensorId x, const std::string& name, const std::vector<float>& weights, TensorId bias,
                 const ConvOptions& options = {}) {
    const auto rows = static_cast<int32_t>(weights.size() / 2);
    const TensorId y = builder_.Activation(name, {1, 4, 4, rows});
    builder_.AddOp(OpKind::kConv2d, {x, builder_.Constant(name + "/w", {rows, 1, 1, 2}, weights), bias}, {y},
                   MakeConvOptions(options));
    return y;
  }
  TensorId Bias(const std::vector<float>& values) {
    return builder_.Constant("bias", {static_cast<int32_t>(values.size())}, values);
  }
  std::vector<float> BiasOf(size_t op) const {
    const Subgraph& graph = model_.subgraphs[0];
    const absl::Span<const float> values = model_.FloatData(graph.tensor(graph.ops[op].inputs[2]));
    return {values.begin(), values.end()};
  }
  BiasAbsorption Absorb() {
    const absl::StatusOr<BiasAbsorption> result = AbsorbHighBias(model_, stats_);
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(VerifyModel(model_).ok());
    return *result;
  }

  ModelBuilder builder_;
  Model model_;
  ActivationStats stats_;
  const TensorStats seen_ = {{-1, 10}, {{8, 10}, {-1, 1}}};
};

TEST_F(AbsorbBiasTest, LinearChannelMovesToTheMiddleOfItsRange) {
  const TensorId hidden = Layer(builder_.Input("x", {1, 4, 4, 2}), "hidden", {1, 0, 0, 1}, Bias({9, 0}));
  builder_.Output(Layer(hidden, "out", {2, 3, -1, 5}, Bias({0.5f, 0.25f})));
  model_ = builder_.Build();
  model_.subgraphs[0].tensor(hidden).shape_signature = {-1, 4, 4, 2};  // a batch of any size, as converters write
  stats_.Set(hidden, seen_);
  const BiasAbsorption result = Absorb();
  EXPECT_THAT(result.shifts.at(hidden), ::testing::ElementsAre(9, 0));
  EXPECT_THAT(BiasOf(0), ::testing::ElementsAre(0, 0));
  EXPECT_THAT(BiasOf(1), ::testing::ElementsAre(0.5f + 2 * 9, 0.25f - 9));
  ApplyToStats(result, stats_);
  EXPECT_EQ(stats_.Find(hidden)->range, (TensorRange{-1, 1}));
  EXPECT_EQ(Absorb().shifted_tensors, 0) << "a second run finds something to do";
}

TEST_F(AbsorbBiasTest, BehindReluOnlyWhatIsAlwaysThere) {
  const TensorId hidden =
      Layer(builder_.Input("x", {1, 4, 4, 2}), "hidden", {1, 0, 0, 1}, Bias({9, 0}), {.activation = Activation::kRelu});
  builder_.Output(Layer(hidden, "out", {2, 3}, Bias({0})));
  model_ = builder_.Build();
  stats_.Set(hidden, {{0, 10}, {{8, 10}, {0, 1}}});
  EXPECT_THAT(Absorb().shifts.at(hidden), ::testing::ElementsAre(8, 0));
}

TEST_F(AbsorbBiasTest, SumsAddTheShiftsOfTheirOperands) {
  const TensorId x = builder_.Input("x", {1, 4, 4, 2});
  const TensorId a = Layer(x, "a", {1, 0, 0, 1}, Bias({9, 0})), b = Layer(x, "b", {1, 0, 0, 1}, Bias({9, 0}));
  const TensorId sum = builder_.Activation("sum", {1, 4, 4, 2});
  builder_.AddOp(OpKind::kAdd, {a, b}, {sum}, MakeAddOptions());
  builder_.Output(Layer(sum, "out", {1, 1}, Bias({0})));
  model_ = builder_.Build();
  stats_.Set(a, seen_);
  stats_.Set(b, seen_);
  EXPECT_THAT(Absorb().shifts.at(sum), ::testing::ElementsAre(18, 0));
  EXPECT_THAT(BiasOf(3), ::testing::ElementsAre(18));
}

TEST_F(AbsorbBiasTest, SharedBiasKeepsItsOtherReader) {
  const TensorId x = builder_.Input("x", {1, 4, 4, 2}), bias = Bias({9, 0});
  const TensorId hidden = Layer(x, "hidden", {1, 0, 0, 1}, bias);
  builder_.Output(Layer(x, "other", {1, 0, 0, 1}, bias));
  builder_.Output(Layer(hidden, "out", {1, 1}, Bias({0})));
  model_ = builder_.Build();
  stats_.Set(hidden, seen_);
  Absorb();
  EXPECT_THAT(BiasOf(0), ::testing::ElementsAre(0, 0));
  EXPECT_THAT(BiasOf(1), ::testing::ElementsAre(9, 0));
}

TEST_F(AbsorbBiasTest, PaddedWindowsAndOutputsStop) {
  const TensorId hidden = Layer(builder_.Input("x", {1, 4, 4, 2}), "hidden", {1, 0, 0, 1}, Bias({9, 0}));
  builder_.Output(builder_.Conv2d(hidden, 2, 3, 5));  // 3 x 3, SAME
  model_ = builder_.Build();
  stats_.Set(hidden, seen_);
  EXPECT_EQ(Absorb().shifted_tensors, 0);
}

TEST_F(AbsorbBiasTest, PassWithoutStatsIsAnError) {
  builder_.Output(Layer(builder_.Input("x", {1, 4, 4, 2}), "out", {1, 0, 0, 1}, Bias({9, 0})));
  model_ = builder_.Build();
  PassContext context;
  EXPECT_EQ(ReasonOf(RunPass(AbsorbBiasPass(), model_, context).status()), "STATS_MISSING");
}

}  // namespace
}  // namespace lathe
