#include "optimizer/compatibility/mac_count.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

uint64_t MacsOfLast(ModelBuilder& builder, TensorId output) {
  builder.Output(output);
  const Model model = builder.Build();
  return CountMacs(model, model.subgraphs[0], model.subgraphs[0].ops.back());
}

TEST(CountMacsTest, ConvolutionSumsOverItsWindowForEveryOutput) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 3});
  EXPECT_EQ(MacsOfLast(builder, builder.Conv2d(input, 16, 3, 1)), 8u * 8 * 16 * 3 * 3 * 3);
}

TEST(CountMacsTest, StrideLeavesFewerOutputs) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 3});
  EXPECT_EQ(MacsOfLast(builder, builder.Conv2d(input, 16, 3, 1, {.stride_h = 2, .stride_w = 2})),
            4u * 4 * 16 * 3 * 3 * 3);
}

TEST(CountMacsTest, DepthwiseConvolutionReadsOneChannel) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 6});
  EXPECT_EQ(MacsOfLast(builder, builder.DepthwiseConv2d(input, 3, 1)), 8u * 8 * 6 * 3 * 3);
}

TEST(CountMacsTest, FullyConnectedUsesEveryWeightOnceForEachRow) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {5, 20});
  EXPECT_EQ(MacsOfLast(builder, builder.FullyConnected(input, 7, 1)), 5u * 20 * 7);
}

TEST(CountMacsTest, TransposeConvSpreadsEveryInput) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 4, 4, 5});
  const TensorId shape = builder.Constant("shape", {4}, std::vector<int32_t>{1, 8, 8, 2});
  const TensorId weights = builder.RandomConstant("w", {2, 3, 3, 5}, 1);
  const TensorId output = builder.Activation("out", {1, 8, 8, 2});
  builder.AddOp(OpKind::kTransposeConv, {shape, weights, input}, {output},
                MakeTransposeConvOptions({.stride_h = 2, .stride_w = 2}));
  EXPECT_EQ(MacsOfLast(builder, output), 4u * 4 * 5 * 2 * 3 * 3);
}

TEST(CountMacsTest, BatchMatmulSumsOverTheSharedAxis) {
  for (const bool transposed : {false, true}) {
    ModelBuilder builder;
    const TensorId left =
        builder.Input("a", transposed ? std::vector<int32_t>{2, 6, 3} : std::vector<int32_t>{2, 3, 6});
    const TensorId right = builder.Input("b", {2, 6, 4});
    const TensorId output = builder.Activation("out", {2, 3, 4});
    builder.AddOp(OpKind::kBatchMatmul, {left, right}, {output}, MakeBatchMatmulOptions({.adj_x = transposed}));
    EXPECT_EQ(MacsOfLast(builder, output), 2u * 3 * 4 * 6) << transposed;
  }
}

TEST(CountMacsTest, RecurrentKindsUseTheirMatricesAtEveryStep) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 10, 4});  // batch, time, features
  const TensorId weights = builder.RandomConstant("w", {8, 4}, 1);
  const TensorId recurrent = builder.RandomConstant("r", {8, 8}, 2);
  const TensorId bias = builder.RandomConstant("b", {8}, 3);
  const TensorId state = builder.Activation("state", {1, 8});
  builder.model().subgraphs[0].tensor(state).is_variable = true;
  const TensorId output = builder.Activation("out", {1, 10, 8});
  builder.AddOp(OpKind::kUnidirectionalSequenceRnn, {input, weights, recurrent, bias, state}, {output},
                MakeRecurrentOptions(OpKind::kUnidirectionalSequenceRnn, Activation::kTanh));
  EXPECT_EQ(MacsOfLast(builder, output), 10u * (8 * 4 + 8 * 8));
}

TEST(CountMacsTest, OtherKindsCostNone) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 10});
  const TensorId output = builder.Activation("out", {1, 10});
  builder.AddOp(OpKind::kAdd, {input, input}, {output}, MakeAddOptions());
  EXPECT_EQ(MacsOfLast(builder, output), 0u);
}

TEST(CountMacsTest, SizesThatOverflowSaturate) {
  ModelBuilder builder;
  const TensorId input = builder.Input("a", {1, 1 << 30, 1 << 30});
  const TensorId output = builder.Activation("out", {1 << 30, 1 << 30, 2});
  builder.AddOp(OpKind::kBatchMatmul, {input, input}, {output}, MakeBatchMatmulOptions({}));
  const Model model = builder.BuildUnverified();
  EXPECT_EQ(CountMacs(model, model.subgraphs[0], model.subgraphs[0].ops[0]), ~uint64_t{0});
}

}  // namespace
}  // namespace lathe
