#include "optimizer/passes/subtract_residual_constants_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"
#include "tests/support/residual_stream.h"

namespace lathe {
namespace {

// The largest |mean| of a row of the constant with this name.
double LargestRowMean(const Model& model, const std::string& name) {
  double largest = 0;
  for (const Tensor& tensor : model.subgraphs[0].tensors) {
    if (tensor.name != name || !model.IsConstant(tensor)) continue;
    const absl::Span<const float> values = model.FloatData(tensor);
    const auto width = static_cast<size_t>(tensor.shape.back());
    for (size_t start = 0; start < values.size(); start += width) {
      double sum = 0;
      for (float value : values.subspan(start, width)) sum += static_cast<double>(value);
      largest = std::max(largest, std::fabs(sum) / static_cast<double>(width));
    }
  }
  return largest;
}

TEST(SubtractResidualConstantsPassTest, TakesTheConstantOutWhereverItEnters) {
  const Model model = SmallTransformer({.embedding = 40, .per_token = true, .position = -30, .bias = 20});
  const Model result = ExpectPassProperties(SubtractResidualConstantsPass(), model);
  for (const char* name : {"table", "positions"}) {
    EXPECT_GT(LargestRowMean(model, name), 20) << name;
    EXPECT_LT(LargestRowMean(result, name), 1e-5) << name;
  }
  size_t matrices = 0;
  for (const Op& op : result.subgraphs[0].ops) {
    if (op.kind != OpKind::kFullyConnected) continue;
    const Tensor& bias = result.subgraphs[0].tensor(op.inputs[2]);
    const bool writes_stream = bias.NumElements() == 32;
    if (!writes_stream) continue;
    EXPECT_LT(LargestRowMean(result, bias.name), 1e-5);
    ++matrices;
  }
  EXPECT_EQ(matrices, 2u);
}

TEST(SubtractResidualConstantsPassTest, BiasesOutsideTheStreamStay) {
  const Model model = SmallTransformer({.bias = 5});
  const Model result = ExpectPassProperties(SubtractResidualConstantsPass(), model);
  for (size_t i = 0; i < model.subgraphs[0].ops.size(); ++i) {
    const Op& op = model.subgraphs[0].ops[i];
    if (op.kind != OpKind::kFullyConnected) continue;
    const Tensor& before = model.subgraphs[0].tensor(op.inputs[2]);
    if (before.NumElements() == 32) continue;  // writes the stream
    const Tensor& after = result.subgraphs[0].tensor(result.subgraphs[0].ops[i].inputs[2]);
    EXPECT_EQ(model.FloatData(before), result.FloatData(after)) << before.name;
  }
}

TEST(SubtractResidualConstantsPassTest, StreamThatSomethingElseReadsIsLeftAlone) {
  // A probe on the stream that is not blind to its mean: the whole stream keeps its constants, to the bit.
  Model model = SmallTransformer({.embedding = 40, .position = 10, .bias = 20});
  Subgraph& graph = model.subgraphs[0];
  TensorId last;
  for (const Op& op : graph.ops) {
    if (op.kind == OpKind::kAdd && graph.tensor(op.outputs[0]).name == "sum1") last = op.outputs[0];
  }
  Tensor probe = graph.tensor(last);
  probe.name = "probe";
  graph.tensors.push_back(probe);
  Op relu;
  relu.kind = OpKind::kRelu;
  relu.inputs = {last};
  relu.outputs = {TensorId(graph.tensors.size() - 1)};
  graph.ops.push_back(relu);
  graph.outputs.push_back(relu.outputs[0]);
  const Model result = ExpectPassProperties(SubtractResidualConstantsPass(), model);
  EXPECT_EQ(LargestRowMean(result, "table"), LargestRowMean(model, "table"));
  EXPECT_EQ(LargestRowMean(result, "positions"), LargestRowMean(model, "positions"));
}

TEST(SubtractResidualConstantsPassTest, ConstantWithAnotherReaderIsCopiedWhenSmallAndKeptWhenLarge) {
  for (int32_t rows : {4, 4096}) {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", {rows, 8});
    const TensorId shared = builder.RandomConstant("shared", {rows, 8}, 3, 9, 11);
    const TensorId stream = builder.Activation("stream", {rows, 8}), other = builder.Activation("other", {rows, 8});
    builder.AddOp(OpKind::kAdd, {x, shared}, {stream}, MakeAddOptions());
    builder.AddOp(OpKind::kMul, {x, shared}, {other}, MakeMulOptions());
    builder.Output(AddLayerNormalisation(builder, stream));
    builder.Output(other);
    const Model model = builder.Build();
    const Model result = ExpectPassProperties(SubtractResidualConstantsPass(), model);
    EXPECT_EQ(LargestRowMean(result, "shared"), LargestRowMean(model, "shared"));
    if (rows == 4) {
      EXPECT_LT(LargestRowMean(result, "shared_centred"), 1e-5);
    } else {
      EXPECT_EQ(result.subgraphs[0].tensors.size(), model.subgraphs[0].tensors.size());
    }
  }
}

TEST(SubtractResidualConstantsPassTest, ScalarBecomesZero) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4, 8}), y = builder.Activation("y", {4, 8});
  builder.AddOp(OpKind::kAdd, {x, builder.Constant("c", {}, std::vector<float>{7})}, {y}, MakeAddOptions());
  builder.Output(AddLayerNormalisation(builder, y));
  const Model result = ExpectPassProperties(SubtractResidualConstantsPass(), builder.Build());
  EXPECT_EQ(result.FloatData(result.subgraphs[0].tensor(TensorId(2)))[0], 0);
}

TEST(SubtractResidualConstantsPassTest, ModelWithoutAResidualStreamIsUnchanged) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1), 4, 3, 2));
  ExpectPassProperties(SubtractResidualConstantsPass(), builder.Build());
}

}  // namespace
}  // namespace lathe
