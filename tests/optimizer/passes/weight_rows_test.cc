#include "optimizer/passes/weight_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

struct OneOp {
  explicit OneOp(OpKind op_kind) : kind(op_kind) {}
  const Op& Build(std::vector<int32_t> data_shape, TensorId weights, TensorId bias, std::vector<int32_t> out_shape) {
    const TensorId data = builder.Input("data", std::move(data_shape));
    const TensorId out = builder.Activation("out", std::move(out_shape));
    OpOptions options = kind == OpKind::kConv2d           ? MakeConvOptions({})
                        : kind == OpKind::kFullyConnected ? MakeFullyConnectedOptions({})
                                                          : MakeDepthwiseConvOptions({});
    const OpId id = builder.AddOp(kind, {data, weights, bias}, {out}, std::move(options));
    builder.Output(out);
    model = builder.BuildUnverified();
    return model.subgraphs[0].ops[id.index()];
  }
  OpKind kind;
  ModelBuilder builder;
  Model model;
};

Quantization PerChannel(std::vector<float> scales, int32_t axis) {
  Quantization quantization;
  quantization.zero_point.assign(scales.size(), 0);
  quantization.scale = std::move(scales);
  quantization.quantized_dimension = axis;
  return quantization;
}

TEST(ReadWeightRowsTest, TurnsDepthwiseWeightsIntoRows) {
  OneOp one(OpKind::kDepthwiseConv2d);
  const TensorId weights = one.builder.Constant("w", {1, 2, 1, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const Op& op = one.Build({1, 4, 4, 3}, weights, TensorId(), {1, 3, 4, 3});
  const auto rows = ReadWeightRows(one.model, op);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->channels, 3);
  EXPECT_EQ(rows->k, 2);
  EXPECT_THAT(rows->weights, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(rows->bias, ElementsAre(0, 0, 0));
  EXPECT_THAT(ToTensorOrder(op.kind, 3, 2, rows->weights), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(ReadWeightRowsTest, ReadsInt4AndIntegerBiases) {
  OneOp one(OpKind::kFullyConnected);
  // Levels 1, -2, 7, -8; the first of a pair lies in the low half of the byte.
  const TensorId weights =
      one.builder.Constant("w", {2, 2}, TensorType::kInt4, {0xe1, 0x87}, PerChannel({0.5f, 2.0f}, 0));
  std::vector<uint8_t> bias_bytes = {100, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
  const TensorId bias =
      one.builder.Constant("b", {2}, TensorType::kInt32, std::move(bias_bytes), PerChannel({0.25f, 3.0f}, 0));
  const Op& op = one.Build({1, 2}, weights, bias, {1, 2});
  const auto rows = ReadWeightRows(one.model, op);
  ASSERT_TRUE(rows.has_value());
  EXPECT_THAT(rows->weights, ElementsAre(0.5f, -1, 14, -16));
  EXPECT_THAT(rows->bias, ElementsAre(25, -3));
}

TEST(ReadWeightRowsTest, ReadsThroughDequantize) {
  OneOp one(OpKind::kFullyConnected);
  const TensorId stored = one.builder.Constant("w", {2, 1}, TensorType::kInt8, {3, 0xfe}, PerChannel({2, 1}, 0));
  const TensorId weights = one.builder.Activation("w_float", {2, 1});
  one.builder.AddOp(OpKind::kDequantize, {stored}, {weights});
  const Op& op = one.Build({1, 1}, weights, TensorId(), {1, 2});
  const auto rows = ReadWeightRows(one.model, op);
  ASSERT_TRUE(rows.has_value());
  EXPECT_THAT(rows->weights, ElementsAre(6, -2));
}

TEST(ReadWeightRowsTest, RefusesWhatItCannotRead) {
  {
    OneOp one(OpKind::kFullyConnected);
    const TensorId weights =
        one.builder.Constant("w", {1, 2}, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
    EXPECT_FALSE(ReadWeightRows(one.model, one.Build({1, 2}, weights, TensorId(), {1, 1})).has_value());
  }
  {
    OneOp one(OpKind::kFullyConnected);
    // Two scales for three channels.
    const TensorId weights = one.builder.Constant("w", {3, 1}, TensorType::kInt8, {1, 2, 3}, PerChannel({1, 1}, 0));
    EXPECT_FALSE(ReadWeightRows(one.model, one.Build({1, 1}, weights, TensorId(), {1, 3})).has_value());
  }
  {
    OneOp one(OpKind::kConv2d);
    const TensorId weights = one.builder.Constant("w", {2, 3}, std::vector<float>(6, 1.0f));
    EXPECT_FALSE(ReadWeightRows(one.model, one.Build({1, 2, 2, 3}, weights, TensorId(), {1, 2, 2, 2})).has_value());
  }
}

TEST(PairWeightOperatorsTest, PairsByWhereTheOperatorsComeFrom) {
  ModelBuilder builder;
  const TensorId in = builder.Input("in", {1, 4});
  builder.Output(builder.FullyConnected(builder.FullyConnected(in, 4, 1), 4, 2));
  Model model = builder.Build();
  Model other = model;
  for (Op& op : model.subgraphs[0].ops) op.origin = static_cast<int32_t>(&op - model.subgraphs[0].ops.data());
  other.subgraphs[0].ops[0].origin = 1;
  other.subgraphs[0].ops[1].origin = -1;
  EXPECT_THAT(PairWeightOperators(model, other), ElementsAre(std::pair(OpId(1), OpId(0))));
}

}  // namespace
}  // namespace lathe
