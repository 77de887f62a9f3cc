#include "optimizer/passes/fully_connect_matmuls_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/op_options.h"
#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

Model Product(std::vector<int32_t> matrix, bool adj_y, std::vector<int32_t> left = {1, 2, 3}) {
  ModelBuilder builder;
  std::vector<int32_t> shape = left;
  shape.back() = adj_y ? matrix[matrix.size() - 2] : matrix.back();
  const TensorId x = builder.Input("x", left), y = builder.Activation("y", shape);
  size_t elements = 1;
  for (int32_t d : matrix) elements *= static_cast<size_t>(d);
  std::vector<float> values(elements);
  for (size_t i = 0; i < elements; ++i) values[i] = static_cast<float>(i);
  builder.AddOp(OpKind::kBatchMatmul, {x, builder.Constant("w", matrix, values)}, {y},
                MakeBatchMatmulOptions({.adj_y = adj_y}));
  builder.Output(y);
  return builder.Build();
}

TEST(FullyConnectMatmulsPassTest, TransposesTheMatrix) {
  const Model result = ExpectPassProperties(FullyConnectMatmulsPass(), Product({1, 3, 2}, false));
  ASSERT_EQ(result.subgraphs[0].ops.size(), 1u);
  const Op& op = result.subgraphs[0].ops[0];
  ASSERT_EQ(op.kind, OpKind::kFullyConnected);
  EXPECT_TRUE(GetFullyConnectedOptions(op)->keep_num_dims);
  const Tensor& weights = result.subgraphs[0].tensor(op.inputs[1]);
  EXPECT_THAT(weights.shape, ::testing::ElementsAre(2, 3));
  EXPECT_THAT(result.FloatData(weights), ::testing::ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST(FullyConnectMatmulsPassTest, TakesRowsAsTheyAre) {
  const Model result = ExpectPassProperties(FullyConnectMatmulsPass(), Product({2, 3}, true));
  const Op& op = result.subgraphs[0].ops[0];
  ASSERT_EQ(op.kind, OpKind::kFullyConnected);
  EXPECT_THAT(result.FloatData(result.subgraphs[0].tensor(op.inputs[1])), ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(FullyConnectMatmulsPassTest, LeavesSeveralMatricesAlone) {
  const Model result = ExpectPassProperties(FullyConnectMatmulsPass(), Product({2, 3, 2}, false, {2, 2, 3}));
  EXPECT_EQ(result.subgraphs[0].ops[0].kind, OpKind::kBatchMatmul);
}

TEST(FullyConnectMatmulsPassTest, OneMatrixOfTwoProductsIsStoredOnce) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2, 4}), w = builder.RandomConstant("w", {4, 4}, 1);
  const TensorId y = builder.Activation("y", {1, 2, 4}), z = builder.Activation("z", {1, 2, 4});
  builder.AddOp(OpKind::kBatchMatmul, {x, w}, {y}, MakeBatchMatmulOptions({}));
  builder.AddOp(OpKind::kBatchMatmul, {y, w}, {z}, MakeBatchMatmulOptions({}));
  builder.Output(z);
  const Model result = ExpectPassProperties(FullyConnectMatmulsPass(), builder.Build());
  EXPECT_EQ(result.subgraphs[0].ops[0].inputs[1], result.subgraphs[0].ops[1].inputs[1]);
}

}  // namespace
}  // namespace lathe
