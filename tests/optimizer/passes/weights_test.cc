#include "optimizer/passes/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

TEST(WeightOperandsTest, AxesFollowTheSpecification) {
  EXPECT_EQ(GetWeightOperands(OpKind::kConv2d)->axis, 0);
  EXPECT_EQ(GetWeightOperands(OpKind::kDepthwiseConv2d)->axis, 3);
  EXPECT_EQ(GetWeightOperands(OpKind::kFullyConnected)->axis, 0);
  EXPECT_EQ(GetWeightOperands(OpKind::kTransposeConv)->data, 2u);
  EXPECT_FALSE(GetWeightOperands(OpKind::kAdd).has_value());
}

TEST(LayoutAlongTest, SplitsTheShapeAtTheAxis) {
  Tensor tensor;
  tensor.shape = {2, 3, 4, 5};
  const math::ChannelLayout layout = LayoutAlong(tensor, 2);
  EXPECT_EQ(layout.outer, 6);
  EXPECT_EQ(layout.channels, 4);
  EXPECT_EQ(layout.inner, 5);
}

TEST(WhyNoIntegerWeightsTest, NamesQuantizedWeights) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4});
  const TensorId w = builder.Constant("w", {2, 4}, TensorType::kInt8, std::vector<uint8_t>(8), PerTensor(0.1f, 0));
  const TensorId y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  const Model model = builder.Build();
  EXPECT_THAT(WhyNoIntegerWeights(model, model.subgraphs[0], model.subgraphs[0].ops[0]),
              ::testing::HasSubstr("already quantized"));
}

}  // namespace
}  // namespace lathe
