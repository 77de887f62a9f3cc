#include "optimizer/passes/drop_unused_pass.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

TEST(DropUnusedPassTest, DropsAChainThatNobodyReadsWithItsWeights) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 4});
  builder.Conv2d(builder.Conv2d(x, 8, 3, 1), 8, 3, 2);
  builder.RandomConstant("left over", {100}, 3);
  builder.Output(builder.Conv2d(x, 4, 1, 4));
  const Model result = ExpectPassProperties(DropUnusedPass(), builder.Build());
  EXPECT_EQ(result.subgraphs[0].ops.size(), 1u);
  EXPECT_EQ(result.subgraphs[0].tensors.size(), 4u);
  EXPECT_EQ(result.buffers.size(), 3u);
}

TEST(DropUnusedPassTest, KeepsWhatDoesMoreThanWriteItsOutputs) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4}), unread = builder.Activation("unread", {1, 4});
  const TensorId handle = builder.Activation("handle", {}, TensorType::kResource);
  const TensorId state = builder.Activation("state", {1, 4});
  const TensorId seed = builder.Constant("size", {1}, std::vector<int32_t>{4});
  const TensorId noise = builder.Activation("noise", {4}), y = builder.Activation("y", {1, 4});
  const OpId custom = builder.AddOp(OpKind::kCustom, {x}, {unread});
  builder.model().subgraphs[0].ops[custom.index()].custom_code = "Log";
  builder.AddOp(OpKind::kVarHandle, {}, {handle});
  builder.AddOp(OpKind::kReadVariable, {handle}, {state});
  builder.AddOp(OpKind::kRandomUniform, {seed}, {noise});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  EXPECT_EQ(ExpectPassProperties(DropUnusedPass(), builder.Build()).subgraphs[0].ops.size(), 5u);
}

TEST(DropUnusedPassTest, KeepsControlFlowAndWhatOnlyASignatureNames) {
  ModelBuilder builder;
  const TensorId c = builder.Input("c", {}, TensorType::kBool), x = builder.Input("x", {4});
  const TensorId unread = builder.Activation("unread", {4}), named = builder.Activation("named", {4});
  builder.AddOp(OpKind::kIf, {c, x}, {unread}, MakeIfOptions(SubgraphId(1), SubgraphId(2)));
  builder.AddOp(OpKind::kRelu, {x}, {named});
  builder.Output(named);
  builder.AddSignature("serve");
  builder.model().subgraphs[0].outputs.clear();
  for (const char* name : {"then", "else"}) {
    builder.AddSubgraph(name);
    const TensorId in = builder.Input("in", {4}), out = builder.Activation("out", {4});
    builder.AddOp(OpKind::kAbs, {in}, {out});
    builder.Output(out);
  }
  EXPECT_EQ(ExpectPassProperties(DropUnusedPass(), builder.Build()).subgraphs[0].ops.size(), 2u);
}

TEST(DropUnusedPassTest, InputsThatNobodyReadsStay) {
  ModelBuilder builder;
  builder.Input("unused", {7});
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 8}), 4, 1));
  builder.AddSignature("serve");
  EXPECT_EQ(ExpectPassProperties(DropUnusedPass(), builder.Build()).subgraphs[0].inputs.size(), 2u);
}

}  // namespace
}  // namespace lathe
