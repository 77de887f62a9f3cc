#include "optimizer/passes/size_figures.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

TEST(DescribeSizeTest, CountsByOperatorTypeAndTensor) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4}), y = builder.Activation("y", {1, 2}),
                 z = builder.Activation("z", {1, 2});
  const TensorId weights = builder.Constant("weights", {2, 4}, std::vector<float>{0, 0, 0, 0, 1, 1, 2, -0.0F});
  builder.AddOp(OpKind::kFullyConnected, {x, weights, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kAdd, {y, builder.Constant("offset", {1, 2}, std::vector<float>{3, 4})}, {z});
  builder.Output(z);
  const SizeOfModel size = DescribeSize(builder.Build(), 1000);
  EXPECT_EQ(size.bytes, 1000u);
  EXPECT_EQ(size.weights_bytes, 40u);
  EXPECT_EQ(size.weights, 10u);
  EXPECT_EQ(size.zeros, 5u);
  ASSERT_EQ(size.by_operator.size(), 2u);
  EXPECT_EQ(size.by_operator[0].name, "FULLY_CONNECTED");
  EXPECT_EQ(size.by_operator[0].bytes, 32u);
  EXPECT_EQ(size.by_operator[1].name, "ADD");
  ASSERT_EQ(size.by_type.size(), 1u);
  EXPECT_EQ(size.by_type[0].name, "float32");
  EXPECT_EQ(size.by_type[0].tensors, 2u);
  ASSERT_EQ(size.tensors.size(), 2u);
  EXPECT_EQ(size.tensors[0].name, "weights");
  EXPECT_EQ(size.tensors[0].distinct_values, 4u);
}

TEST(DescribeSizeTest, LooksThroughDequantizeAndKnowsZeroPoints) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2}), y = builder.Activation("y", {1, 2});
  const TensorId packed = builder.Constant("packed", {1, 2}, TensorType::kInt8, {5, 6}, PerTensor(0.5F, 5));
  const TensorId wide = builder.Activation("wide", {1, 2});
  builder.AddOp(OpKind::kDequantize, {packed}, {wide});
  builder.AddOp(OpKind::kMul, {x, wide}, {y});
  builder.Output(y);
  const SizeOfModel size = DescribeSize(builder.Build(), 1000);
  ASSERT_EQ(size.by_operator.size(), 1u);
  EXPECT_EQ(size.by_operator[0].name, "MUL");
  EXPECT_EQ(size.zeros, 1u);
  EXPECT_EQ(size.by_type[0].name, "int8");
}

}  // namespace
}  // namespace lathe
