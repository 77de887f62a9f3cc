#include "optimizer/passes/share_constants_pass.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

BufferId BufferOf(const Model& model, size_t subgraph, const std::string& name) {
  for (const Tensor& tensor : model.subgraphs[subgraph].tensors) {
    if (tensor.name == name) return tensor.buffer;
  }
  return BufferId();
}

TEST(ShareConstantsPassTest, EqualConstantsOfAllSubgraphsShareOneBuffer) {
  ModelBuilder builder;
  const auto add_layer = [&](const std::string& name, std::vector<int32_t> shape) {
    const TensorId x = builder.Input("x" + name, {1, 8, 8, 4}), y = builder.Activation("y" + name, {1, 8, 8, 4});
    builder.AddOp(OpKind::kMul, {x, builder.RandomConstant(name, std::move(shape), 9)}, {y}, MakeMulOptions());
    builder.Output(y);
  };
  add_layer("a", {8, 8, 4});
  builder.AddSubgraph("other");
  add_layer("b", {1, 8, 8, 4});  // the same bytes in another shape
  const Model result = ExpectPassProperties(ShareConstantsPass(), builder.Build());
  EXPECT_EQ(BufferOf(result, 0, "a"), BufferOf(result, 1, "b"));
  EXPECT_EQ(result.buffers.size(), 2u);
}

TEST(ShareConstantsPassTest, OneDifferentByteOrAnotherTypeKeepsThemApart) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {256}), y = builder.Activation("y", {256}), z = builder.Activation("z", {256});
  std::vector<float> values(256, 1.5f);
  const TensorId a = builder.Constant("a", {256}, values);
  values[3] = 1.25f;  // outside the bytes that are compared first
  const TensorId b = builder.Constant("b", {256}, values);
  const std::vector<uint8_t> zeros(1024, 0);
  builder.Constant("floats", {256}, TensorType::kFloat32, zeros);
  builder.Constant("integers", {256}, TensorType::kInt32, zeros);
  builder.AddOp(OpKind::kAdd, {x, a}, {y}, MakeAddOptions());
  builder.AddOp(OpKind::kAdd, {y, b}, {z}, MakeAddOptions());
  builder.Output(z);
  EXPECT_EQ(ExpectPassProperties(ShareConstantsPass(), builder.Build()).buffers.size(), 5u);
}

TEST(ShareConstantsPassTest, VariablesKeepTheirOwnBuffers) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4}), y = builder.Activation("y", {4});
  builder.Constant("start", {4}, std::vector<float>{1, 2, 3, 4});
  const TensorId state = builder.Constant("state", {4}, std::vector<float>{1, 2, 3, 4});
  builder.model().subgraphs[0].tensor(state).is_variable = true;
  builder.AddOp(OpKind::kAdd, {x, state}, {y}, MakeAddOptions());
  builder.Output(y);
  EXPECT_EQ(ExpectPassProperties(ShareConstantsPass(), builder.Build()).buffers.size(), 3u);
}

}  // namespace
}  // namespace lathe
