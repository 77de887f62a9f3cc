#include "optimizer/passes/integer_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

TEST(IntegerRulesTest, CoversWhatTheDocumentationNames) {
  for (OpKind kind :
       {OpKind::kAdd, OpKind::kAveragePool2d, OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kDepthToSpace,
        OpKind::kFullyConnected, OpKind::kMaxPool2d, OpKind::kMean, OpKind::kMinimum, OpKind::kPad, OpKind::kPrelu,
        OpKind::kRelu, OpKind::kRelu6, OpKind::kReshape, OpKind::kSoftmax}) {
    EXPECT_NE(FindIntegerRule(kind), nullptr) << OpKindName(kind);
  }
  // One ignores the zero point, the other reads int16 as int8.
  EXPECT_EQ(FindIntegerRule(OpKind::kNeg)->int8, IntegerKernel::kWrong);
  EXPECT_EQ(FindIntegerRule(OpKind::kNeg)->int16, IntegerKernel::kWrong);
  EXPECT_EQ(FindIntegerRule(OpKind::kPrelu)->int16, IntegerKernel::kWrong);
}

TEST(WhyNotIntegerTest, SaysWhy) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), w = builder.Input("w", {32, 32});
  const TensorId y = builder.Activation("y", {1, 32}), z = builder.Activation("z", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kPrelu, {y, builder.RandomConstant("alpha", {32}, 1)}, {z});
  builder.Output(z);
  const Model model = builder.Build();
  const Subgraph& graph = model.subgraphs[0];
  EXPECT_THAT(WhyNotInteger(model, graph, graph.ops[0], {}), HasSubstr("not a dense float32 constant"));
  EXPECT_THAT(WhyNotInteger(model, graph, graph.ops[1], {}), HasSubstr("XNNPACK"));
  QuantizeSettings strict;
  strict.require_full_integer = true;
  EXPECT_EQ(WhyNotInteger(model, graph, graph.ops[1], strict), "");
}

}  // namespace
}  // namespace lathe
