#include "optimizer/model/graph_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/dump.h"
#include "optimizer/model/model_verifier.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

Op MakeOp(OpKind kind, std::vector<TensorId> inputs, std::vector<TensorId> outputs) {
  Op op;
  op.kind = kind;
  op.inputs = std::move(inputs);
  op.outputs = std::move(outputs);
  return op;
}

Tensor Like(const Model& model, TensorId id, const std::string& name) {
  Tensor tensor = model.subgraphs[0].tensor(id);
  tensor.name = name;
  return tensor;
}

std::vector<OpKind> Kinds(const Model& model) {
  std::vector<OpKind> kinds;
  for (const Op& op : model.subgraphs[0].ops) kinds.push_back(op.kind);
  return kinds;
}

std::vector<std::string> TensorNames(const Model& model) {
  std::vector<std::string> names;
  for (const Tensor& tensor : model.subgraphs[0].tensors) names.push_back(tensor.name);
  return names;
}

// x -> RELU -> TANH -> LOGISTIC -> y
class GraphEditorTest : public testing::Test {
 protected:
  GraphEditorTest() {
    ModelBuilder builder;
    x_ = builder.Input("x", {1, 4});
    a_ = builder.Activation("a", {1, 4});
    b_ = builder.Activation("b", {1, 4});
    y_ = builder.Activation("y", {1, 4});
    builder.AddOp(OpKind::kRelu, {x_}, {a_});
    builder.AddOp(OpKind::kTanh, {a_}, {b_});
    builder.AddOp(OpKind::kLogistic, {b_}, {y_});
    builder.Output(y_);
    builder.AddSignature("serving_default");
    model_ = builder.Build();
  }
  void ExpectValid() { EXPECT_TRUE(VerifyModel(model_).ok()) << VerifyModel(model_); }

  Model model_;
  TensorId x_, a_, b_, y_;
};

TEST_F(GraphEditorTest, NoEditChangesNothing) {
  const std::string before = DumpModel(model_);
  GraphEditor editor(model_, SubgraphId(0));
  editor.ReplaceUses(y_, x_);  // nobody reads y
  EXPECT_FALSE(editor.edited());
  editor.Finish();
  EXPECT_EQ(DumpModel(model_), before);
}

TEST_F(GraphEditorTest, InsertsInTheOrderOfTheCalls) {
  GraphEditor editor(model_, SubgraphId(0));
  const TensorId first = editor.AddTensor(Like(model_, x_, "first"));
  const TensorId second = editor.AddTensor(Like(model_, x_, "second"));
  const TensorId third = editor.AddTensor(Like(model_, x_, "third"));
  const TensorId last = editor.AddTensor(Like(model_, x_, "last"));
  editor.InsertLast(MakeOp(OpKind::kNeg, {y_}, {last}));
  editor.InsertAfter(OpId(0), MakeOp(OpKind::kExp, {a_}, {second}));
  editor.InsertAfter(OpId(0), MakeOp(OpKind::kAbs, {second}, {third}));
  editor.InsertBefore(OpId(0), MakeOp(OpKind::kSqrt, {x_}, {first}));
  editor.ReplaceUses(a_, third);
  editor.ReplaceSubgraphOutput(y_, last);
  editor.Finish();
  ExpectValid();
  EXPECT_THAT(Kinds(model_), ElementsAre(OpKind::kSqrt, OpKind::kRelu, OpKind::kExp, OpKind::kAbs, OpKind::kTanh,
                                         OpKind::kLogistic, OpKind::kNeg));
  // The inserted EXP still reads a: ReplaceUses leaves inserted operators alone.
  EXPECT_EQ(model_.subgraphs[0].ops[2].inputs[0], a_);
}

TEST_F(GraphEditorTest, ReplacesUsesOnlyWhereAsked) {
  GraphEditor editor(model_, SubgraphId(0));
  editor.ReplaceUses(a_, x_, [](OpId op) { return op == OpId(2); });
  EXPECT_FALSE(editor.edited());
  editor.ReplaceUses(a_, x_, [](OpId op) { return op == OpId(1); });
  editor.Finish();
  ExpectValid();
  EXPECT_EQ(model_.subgraphs[0].ops[1].inputs[0], x_);
}

TEST_F(GraphEditorTest, ErasedOperatorTakesItsTensorsWithIt) {
  GraphEditor editor(model_, SubgraphId(0));
  editor.Erase(OpId(1));
  editor.ReplaceUses(b_, a_);
  editor.Finish();
  ExpectValid();
  EXPECT_THAT(Kinds(model_), ElementsAre(OpKind::kRelu, OpKind::kLogistic));
  EXPECT_THAT(TensorNames(model_), ElementsAre("x", "a", "y"));
  EXPECT_EQ(model_.subgraphs[0].outputs[0], TensorId(2));
  EXPECT_EQ(model_.signatures[0].outputs[0].tensor, TensorId(2));
  EXPECT_EQ(model_.signatures[0].outputs[0].name, "y");
}

TEST_F(GraphEditorTest, InsertionAtAnErasedOperatorTakesItsPlace) {
  GraphEditor editor(model_, SubgraphId(0));
  editor.InsertBefore(OpId(1), MakeOp(OpKind::kElu, {a_}, {b_}));
  editor.Erase(OpId(1));
  editor.Finish();
  ExpectValid();
  EXPECT_THAT(Kinds(model_), ElementsAre(OpKind::kRelu, OpKind::kElu, OpKind::kLogistic));
}

TEST_F(GraphEditorTest, ReplacesInterfaceInSubgraphAndSignature) {
  GraphEditor editor(model_, SubgraphId(0));
  Tensor int8 = Like(model_, x_, "x_int8");
  int8.type = TensorType::kInt8;
  const TensorId input = editor.AddTensor(int8);
  editor.InsertFirst(MakeOp(OpKind::kDequantize, {input}, {x_}));
  editor.ReplaceSubgraphInput(x_, input);
  editor.Finish();
  ExpectValid();
  EXPECT_EQ(model_.subgraphs[0].inputs[0], input);
  EXPECT_EQ(model_.signatures[0].inputs[0].tensor, input);
  EXPECT_EQ(model_.signatures[0].inputs[0].name, "x");
}

TEST_F(GraphEditorTest, SetsSingleParts) {
  GraphEditor editor(model_, SubgraphId(0));
  editor.SetVersion(OpId(2), 2);
  editor.SetInput(OpId(2), 0, a_);
  editor.SetOutput(OpId(1), 0, b_);
  Quantization quantization = PerTensor(0.5F, 1);
  quantization.max = {9};
  editor.Retype(a_, TensorType::kInt8, quantization);
  editor.Finish();
  const Tensor& a = model_.subgraphs[0].tensor(a_);
  EXPECT_EQ(model_.subgraphs[0].ops[2].version, 2);
  EXPECT_EQ(a.type, TensorType::kInt8);
  EXPECT_TRUE(a.quantization.max.empty());
  EXPECT_EQ(a.quantization.scale[0], 0.5F);
}

TEST(GraphEditorDataTest, NewDataLeavesOtherOwnersOfTheBufferAlone) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {2});
  const TensorId one = builder.Constant("one", {2}, std::vector<float>{1, 1});
  const TensorId same = builder.Activation("same", {2});
  const TensorId sum = builder.Activation("sum", {2});
  const TensorId y = builder.Activation("y", {2});
  builder.model().subgraphs[0].tensor(same).buffer = BufferId(1);
  builder.AddOp(OpKind::kAdd, {x, one}, {sum}, MakeAddOptions());
  builder.AddOp(OpKind::kMul, {sum, same}, {y}, MakeMulOptions());
  builder.Output(y);
  Model model = builder.Build();

  GraphEditor editor(model, SubgraphId(0));
  editor.SetData(one, std::vector<uint8_t>(8, 0));
  editor.Finish();
  ASSERT_TRUE(VerifyModel(model).ok()) << VerifyModel(model);
  EXPECT_EQ(model.FloatData(model.subgraphs[0].tensor(one))[0], 0);
  EXPECT_EQ(model.FloatData(model.subgraphs[0].tensor(same))[0], 1);

  GraphEditor second(model, SubgraphId(0));
  second.SetData(same, std::vector<uint8_t>(8, 0));
  second.Finish();
  EXPECT_EQ(model.buffers.size(), 3U);  // 0 and two live ones; the old one went with its last owner
}

TEST(GraphEditorDataTest, KeepsWhatHadNoUserBefore) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {2});
  builder.Constant("unused", {2}, std::vector<float>{1, 1});
  const TensorId y = builder.Activation("y", {2});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  builder.model().buffers.push_back(Buffer::Owned({1, 2, 3}));
  builder.model().metadata.push_back({"note", BufferId(2)});
  Model model = builder.Build();

  GraphEditor editor(model, SubgraphId(0));
  editor.SetVersion(OpId(0), 2);
  editor.Finish();
  EXPECT_EQ(model.subgraphs[0].tensors.size(), 3U);
  EXPECT_EQ(model.buffer(model.metadata[0].buffer).bytes().size(), 3U);
}

TEST(GraphEditorDataTest, PadsOperandsLeftOut) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4});
  const TensorId weights = builder.RandomConstant("w", {2, 4}, 1);
  const TensorId y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kFullyConnected, {x, weights}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  Model model = builder.Build();

  Tensor bias_tensor;
  bias_tensor.name = "bias";
  bias_tensor.shape = {2};
  GraphEditor editor(model, SubgraphId(0));
  editor.PadInputs(OpId(0), 3);
  const TensorId bias = editor.AddTensor(bias_tensor);
  editor.SetData(bias, std::vector<uint8_t>(8, 0));
  editor.SetInput(OpId(0), 2, bias);
  editor.SetOptions(OpId(0), MakeFullyConnectedOptions({.activation = Activation::kRelu}));
  editor.Finish();
  ASSERT_TRUE(VerifyModel(model).ok()) << VerifyModel(model);
  EXPECT_EQ(model.subgraphs[0].ops[0].inputs.size(), 3U);
  EXPECT_EQ(FusedActivation(model.subgraphs[0].ops[0]), Activation::kRelu);
}

TEST(GraphEditorDataTest, DropsOnRequestWhatNeverHadAUser) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {2}), y = builder.Activation("y", {2});
  builder.RandomConstant("left over", {64}, 1);
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  Model model = builder.Build();

  GraphEditor editor(model, SubgraphId(0));
  editor.DropUnused();
  editor.Finish();
  EXPECT_TRUE(VerifyModel(model).ok()) << VerifyModel(model);
  EXPECT_EQ(model.subgraphs[0].tensors.size(), 2U);
  EXPECT_EQ(model.buffers.size(), 1U);
}

}  // namespace
}  // namespace lathe
