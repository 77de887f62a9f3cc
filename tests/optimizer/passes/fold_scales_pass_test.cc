// That outputs stay the same is tested on the runtime, in tests/executor/clean_up_test.cc.

#include "optimizer/passes/fold_scales_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Kinds(const Model& model) {
  std::vector<std::string> kinds;
  for (const Op& op : model.subgraphs[0].ops) kinds.emplace_back(OpKindName(op.kind));
  return kinds;
}

// Adds an elementwise operator between `x` and a constant; the result has the shape of x.
TensorId Elementwise(ModelBuilder& builder, OpKind kind, TensorId x, TensorId constant, OpOptions options = {},
                     bool constant_first = false) {
  const TensorId y = builder.Activation("e", builder.model().subgraphs[0].tensor(x).shape);
  builder.AddOp(kind, constant_first ? std::vector{constant, x} : std::vector{x, constant}, {y}, std::move(options));
  return y;
}

TEST(FoldScalesPassTest, BatchNormalisationAndReluGoIntoTheConvolution) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 1, 1, 1}), y = builder.Activation("y", {1, 1, 1, 2});
  builder.AddOp(OpKind::kConv2d,
                {x, builder.Constant("w", {2, 1, 1, 1}, std::vector<float>{1, 2}),
                 builder.Constant("b", {2}, std::vector<float>{10, 20})},
                {y}, MakeConvOptions({}));
  TensorId z =
      Elementwise(builder, OpKind::kMul, y, builder.Constant("s", {2}, std::vector<float>{3, -1}), MakeMulOptions());
  z = Elementwise(builder, OpKind::kSub, z, builder.Constant("t", {1, 1, 1, 2}, std::vector<float>{5, 7}),
                  MakeSubOptions(), true);
  const TensorId relu = builder.Activation("relu", {1, 1, 1, 2});
  builder.AddOp(OpKind::kRelu6, {z}, {relu});
  builder.Output(relu);
  const Model result = ExpectPassProperties(FoldScalesPass(), builder.Build());
  ASSERT_THAT(Kinds(result), ElementsAre("CONV_2D"));
  const Subgraph& graph = result.subgraphs[0];
  EXPECT_EQ(FusedActivation(graph.ops[0]), Activation::kRelu6);
  // 5 - 3 (x + 10) and 7 + (2 x + 20).
  EXPECT_THAT(result.FloatData(graph.tensor(graph.ops[0].inputs[1])), ElementsAre(-3, 2));
  EXPECT_THAT(result.FloatData(graph.tensor(graph.ops[0].inputs[2])), ElementsAre(-25, 27));
}

TEST(FoldScalesPassTest, BiasIsMadeWhereThereIsNone) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8}), y = builder.Activation("y", {1, 4});
  builder.AddOp(OpKind::kFullyConnected, {x, builder.RandomConstant("w", {4, 8}, 1), TensorId()}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(Elementwise(builder, OpKind::kAdd, y, builder.Constant("c", {4}, std::vector<float>{1, 2, 3, 4}),
                             MakeAddOptions()));
  const Model result = ExpectPassProperties(FoldScalesPass(), builder.Build());
  ASSERT_THAT(Kinds(result), ElementsAre("FULLY_CONNECTED"));
  EXPECT_THAT(result.FloatData(result.subgraphs[0].tensor(result.subgraphs[0].ops[0].inputs[2])),
              ElementsAre(1, 2, 3, 4));
}

TEST(FoldScalesPassTest, BiasThatOthersReadIsCopied) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8}), bias = builder.RandomConstant("b", {8}, 1);
  const TensorId y = builder.Activation("y", {1, 8}), z = builder.Activation("z", {1, 8});
  builder.AddOp(OpKind::kFullyConnected, {x, builder.RandomConstant("w", {8, 8}, 2), bias}, {y},
                MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {x, builder.RandomConstant("v", {8, 8}, 3), bias}, {z},
                MakeFullyConnectedOptions({}));
  builder.Output(
      Elementwise(builder, OpKind::kAdd, y, builder.Constant("c", {1}, std::vector<float>{100}), MakeAddOptions()));
  builder.Output(z);
  const Model model = builder.Build();
  const Model result = ExpectPassProperties(FoldScalesPass(), model);
  const auto bias_of = [](const Model& m, size_t op) {
    return m.FloatData(m.subgraphs[0].tensor(m.subgraphs[0].ops[op].inputs[2]));
  };
  EXPECT_EQ(bias_of(result, 0)[0], bias_of(model, 0)[0] + 100);
  EXPECT_EQ(bias_of(result, 1), bias_of(model, 1));
}

// The convolution and whatever may not be folded into it.
void ExpectStays(ModelBuilder builder, const std::string& why) {
  const Model model = builder.Build();
  EXPECT_EQ(Kinds(ExpectPassProperties(FoldScalesPass(), model)), Kinds(model)) << why;
}

TEST(FoldScalesPassTest, StaysWhereItWouldChangeTheFunction) {
  const auto two = [](ModelBuilder& b) { return b.Constant("two", {}, std::vector<float>{2}); };
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1, {.activation = Activation::kRelu});
    b.Output(Elementwise(b, OpKind::kMul, y, two(b), MakeMulOptions()));
    ExpectStays(std::move(b), "the activation comes first");
  }
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1);
    b.Output(Elementwise(b, OpKind::kMul, y, two(b), MakeMulOptions()));
    b.Output(y);
    ExpectStays(std::move(b), "the tensor between is an output");
  }
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1);
    b.Output(Elementwise(b, OpKind::kMul, y, two(b), MakeMulOptions()));
    b.Output(Elementwise(b, OpKind::kAdd, y, two(b), MakeAddOptions()));
    ExpectStays(std::move(b), "the tensor between has two readers");
  }
  {
    ModelBuilder b;
    const TensorId x = b.Input("x", {1, 4, 4, 2}), w = b.RandomConstant("w", {3, 1, 1, 2}, 1);
    const TensorId y = b.Activation("y", {1, 4, 4, 3}), z = b.Activation("z", {1, 4, 4, 3});
    b.AddOp(OpKind::kConv2d, {x, w}, {y}, MakeConvOptions({}));
    b.AddOp(OpKind::kConv2d, {x, w}, {z}, MakeConvOptions({}));
    b.Output(Elementwise(b, OpKind::kMul, y, two(b), MakeMulOptions()));
    b.Output(z);
    ExpectStays(std::move(b), "the weights are shared");
  }
  {
    ModelBuilder b;
    const TensorId x = b.Input("x", {1, 4, 4, 2});
    const TensorId shifted = Elementwise(b, OpKind::kAdd, x, two(b), MakeAddOptions());
    b.Output(b.Conv2d(shifted, 3, 3, 1, {.same_padding = true}));
    ExpectStays(std::move(b), "padding is zero, not two");
  }
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1);
    b.Output(Elementwise(b, OpKind::kDiv, y, b.Constant("zero", {}, std::vector<float>{0})));
    ExpectStays(std::move(b), "division by zero");
  }
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1);
    b.Output(Elementwise(b, OpKind::kMul, y, b.RandomConstant("map", {1, 4, 4, 1}, 8), MakeMulOptions()));
    ExpectStays(std::move(b), "a constant for each place, not for each channel");
  }
  {
    ModelBuilder b;
    const TensorId y = b.Conv2d(b.Input("x", {1, 4, 4, 2}), 3, 3, 1);
    TensorId z = Elementwise(b, OpKind::kMul, y, b.Constant("huge", {}, std::vector<float>{3e38f}), MakeMulOptions());
    b.Output(Elementwise(b, OpKind::kDiv, z, b.Constant("tiny", {}, std::vector<float>{1e-10f})));
    const Model result = ExpectPassProperties(FoldScalesPass(), b.Build());
    EXPECT_THAT(Kinds(result), ElementsAre("CONV_2D", "DIV")) << "values past float32 stay outside the weights";
  }
}

TEST(FoldScalesPassTest, ActivationsAreFusedIntoSums) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4}), z = builder.Input("z", {4});
  const TensorId y = builder.Activation("y", {4}), relu = builder.Activation("relu", {4});
  builder.AddOp(OpKind::kAdd, {x, z}, {y}, MakeAddOptions());
  builder.AddOp(OpKind::kRelu, {y}, {relu});
  builder.Output(relu);
  const Model result = ExpectPassProperties(FoldScalesPass(), builder.Build());
  ASSERT_THAT(Kinds(result), ElementsAre("ADD"));
  EXPECT_EQ(FusedActivation(result.subgraphs[0].ops[0]), Activation::kRelu);
}

TEST(FoldScalesPassTest, OperatorWithoutOptionsTakesNoActivation) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4}), z = builder.Input("z", {4});
  const TensorId y = builder.Activation("y", {4}), relu = builder.Activation("relu", {4});
  builder.AddOp(OpKind::kAdd, {x, z}, {y});
  builder.AddOp(OpKind::kRelu, {y}, {relu});
  builder.Output(relu);
  ExpectStays(std::move(builder), "there is nowhere to write it");
}

}  // namespace
}  // namespace lathe
