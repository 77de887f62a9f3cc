#include "optimizer/passes/int8_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

TEST(Int8RulesTest, CoversWhatTheDocumentationNames) {
  for (OpKind kind :
       {OpKind::kAdd, OpKind::kAveragePool2d, OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kDepthToSpace,
        OpKind::kFullyConnected, OpKind::kMaxPool2d, OpKind::kMean, OpKind::kMinimum, OpKind::kPad, OpKind::kPrelu,
        OpKind::kRelu, OpKind::kRelu6, OpKind::kReshape, OpKind::kSoftmax}) {
    EXPECT_NE(FindInt8Rule(kind), nullptr) << OpKindName(kind);
  }
  // Its int8 kernel ignores the zero point.
  EXPECT_EQ(FindInt8Rule(OpKind::kNeg), nullptr);
}

TEST(WhyNotInt8Test, SaysWhy) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), w = builder.Input("w", {32, 32});
  const TensorId y = builder.Activation("y", {1, 32}), z = builder.Activation("z", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kPrelu, {y, builder.RandomConstant("alpha", {32}, 1)}, {z});
  builder.Output(z);
  const Model model = builder.Build();
  const Subgraph& graph = model.subgraphs[0];
  EXPECT_THAT(WhyNotInt8(model, graph, graph.ops[0], {}), HasSubstr("not a dense float32 constant"));
  EXPECT_THAT(WhyNotInt8(model, graph, graph.ops[1], {}), HasSubstr("XNNPACK"));
  QuantizeSettings strict;
  strict.require_full_integer = true;
  EXPECT_EQ(WhyNotInt8(model, graph, graph.ops[1], strict), "");
}

}  // namespace
}  // namespace lathe
