#include "optimizer/model/model_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/status.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// x -> CONV_2D -> RELU -> y, with the ids the cases below break.
class ModelVerifierTest : public testing::Test {
 protected:
  ModelVerifierTest() {
    x_ = builder_.Input("x", {1, 8, 8, 3});
    conv_ = builder_.Conv2d(x_, 4, 3, 1);
    y_ = builder_.Activation("y", {1, 8, 8, 4});
    builder_.AddOp(OpKind::kRelu, {conv_}, {y_});
    builder_.Output(y_);
    builder_.AddSignature("serving_default");
  }
  Subgraph& graph() { return builder_.model().subgraphs[0]; }
  Op& op(size_t i) { return graph().ops[i]; }
  Tensor& tensor(TensorId id) { return graph().tensor(id); }
  Tensor& weights() { return tensor(op(0).inputs[1]); }

  void ExpectRefused(const std::string& text) {
    const absl::Status status = VerifyModel(builder_.model());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), "MODEL_CORRUPT");
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
  void ExpectAccepted() {
    const absl::Status status = VerifyModel(builder_.model());
    EXPECT_TRUE(status.ok()) << status;
  }

  ModelBuilder builder_;
  TensorId x_, conv_, y_;
};

TEST_F(ModelVerifierTest, AcceptsASoundModel) { ExpectAccepted(); }

TEST_F(ModelVerifierTest, RefusesNoSubgraph) {
  builder_.model().subgraphs.clear();
  ExpectRefused("no subgraph");
}

TEST_F(ModelVerifierTest, RefusesABufferOutOfRange) {
  weights().buffer = BufferId(9);
  ExpectRefused("subgraph 0, tensor 1 'conv0/weights': buffer 9, but the model has 3");
}

TEST_F(ModelVerifierTest, RefusesTensorsOutOfRange) {
  op(1).inputs[0] = TensorId(77);
  ExpectRefused("subgraph 0, operator 1 RELU: input 0 is tensor 77, but the subgraph has 5");
  op(1).inputs[0] = TensorId(-2);
  ExpectRefused("input 0 is tensor -2");
}

TEST_F(ModelVerifierTest, RefusesInterfaceOutOfRange) {
  graph().outputs[0] = TensorId(50);
  ExpectRefused("subgraph 0, output 0: tensor 50");
  graph().outputs[0] = TensorId();
  ExpectRefused("subgraph 0, output 0: tensor -1");
}

TEST_F(ModelVerifierTest, RefusesSignaturesOutOfRange) {
  builder_.model().signatures[0].outputs[0].tensor = TensorId(50);
  ExpectRefused("signature 0, output 0: tensor 50");
  builder_.model().signatures[0].subgraph = SubgraphId(1);
  ExpectRefused("signature 0: subgraph 1, but the model has 1");
}

TEST_F(ModelVerifierTest, RefusesMetadataOutOfRange) {
  builder_.model().metadata.push_back({"m", BufferId(50)});
  ExpectRefused("metadata 0: buffer 50");
}

TEST_F(ModelVerifierTest, RefusesAnUnknownKind) {
  op(1).kind = static_cast<OpKind>(4000);
  ExpectRefused("kind 4000 is not an operator");
}

TEST_F(ModelVerifierTest, RefusesWrongNumbersOfOperands) {
  op(0).inputs.resize(1);
  ExpectRefused("operator 0 CONV_2D: 1 inputs, but the operator takes 2 to 3");
  op(0).inputs = {x_, TensorId()};
  ExpectRefused("operator 0 CONV_2D: input 1 is left out");
  op(0).inputs = {x_, TensorId(1), TensorId(2)};
  op(0).outputs.clear();
  ExpectRefused("operator 0 CONV_2D: 0 outputs");
}

TEST_F(ModelVerifierTest, RefusesWeightsOfAnotherRank) {
  weights().shape = {4, 27};
  ExpectRefused("weights (tensor 1) have shape [4,27]; 4 dimensions are expected");
}

TEST_F(ModelVerifierTest, RefusesStrideZero) {
  op(0).options = MakeConvOptions({.stride_h = 0});
  ExpectRefused("strides 0x1");
}

TEST_F(ModelVerifierTest, RefusesAnActivationThatDoesNotExist) {
  op(0).options = MakeConvOptions({.activation = static_cast<Activation>(77)});
  ExpectRefused("fused activation 77");
}

TEST_F(ModelVerifierTest, RefusesTwoWriters) {
  op(1).outputs[0] = conv_;
  op(1).inputs[0] = x_;
  ExpectRefused("tensor 3 'conv0': written by operator 0 and again by operator 1");
}

TEST_F(ModelVerifierTest, RefusesAWrittenConstant) {
  op(1).outputs[0] = TensorId(2);
  ExpectRefused("tensor 2 'conv0/bias': a constant, but operator 1 writes it");
}

TEST_F(ModelVerifierTest, RefusesCyclesAndWrongOrder) {
  op(1).inputs[0] = y_;
  ExpectRefused("operator 1 RELU reads a tensor that no earlier operator writes (subgraph 0, tensor 4 'y')");
  op(1).inputs[0] = conv_;
  std::swap(op(0), op(1));
  ExpectRefused("operator 0 RELU reads a tensor that no earlier operator writes");
}

TEST_F(ModelVerifierTest, AcceptsAVariableReadBeforeItIsWritten) {
  op(1).inputs[0] = y_;
  tensor(y_).is_variable = true;
  ExpectAccepted();
}

TEST_F(ModelVerifierTest, RefusesAnOutputThatNobodyWrites) {
  graph().ops.pop_back();
  ExpectRefused("tensor 4 'y': an output of the subgraph, but no operator writes it");
}

TEST_F(ModelVerifierTest, RefusesGiantShapes) {
  tensor(conv_).shape = {1 << 30, 1 << 28};  // 2^58 floats: 2^60 bytes
  ExpectRefused(
      "subgraph 0, tensor 3 'conv0': shape [1073741824,268435456] of FLOAT32 asks for 1152921504606846976 bytes");
  tensor(conv_).shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  ExpectRefused("more than");
  tensor(conv_).shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30, 0};
  ExpectRefused("were no dimension 0");
}

TEST_F(ModelVerifierTest, RefusesTooManyActivations) {
  tensor(conv_).shape = {1 << 30, 32};
  ExpectRefused("tensor 3 'conv0': its 137438953472 bytes");
}

TEST_F(ModelVerifierTest, RefusesNegativeDimensions) {
  tensor(conv_).shape = {1, -1};
  ExpectRefused("negative dimension in shape [1,-1]");
}

TEST_F(ModelVerifierTest, RefusesAShapeSignatureThatDoesNotFit) {
  tensor(x_).shape_signature = {-1, 8, 8};
  ExpectRefused("shape_signature has 3 dimensions, shape has 4");
  tensor(x_).shape_signature = {-2, 8, 8, 3};
  ExpectRefused("only -1 means dynamic");
  tensor(x_).shape_signature = {-1, 8, 8, 3};
  ExpectAccepted();
}

TEST_F(ModelVerifierTest, RefusesConstantsOfTheWrongSize) {
  weights().type = TensorType::kFloat16;
  ExpectRefused("tensor 1 'conv0/weights': buffer 1 has 432 bytes, but shape [4,3,3,3] of FLOAT16 takes 216");
}

TEST_F(ModelVerifierTest, SubByteConstantsArePacked) {
  builder_.Constant("int4", {3}, TensorType::kInt4, {0x21, 0x03});
  builder_.Constant("int2", {5}, TensorType::kInt2, {0xE4, 0x01});
  ExpectAccepted();
  builder_.Constant("wrong", {5}, TensorType::kInt4, {1, 2});
  ExpectRefused("'wrong'");
}

TEST_F(ModelVerifierTest, RefusesQuantizationThatDoesNotFit) {
  Quantization& quantization = weights().quantization;
  quantization = PerTensor(std::numeric_limits<float>::quiet_NaN(), 0);
  ExpectRefused("scale is NaN or infinite");
  quantization = PerTensor(1, 0);
  quantization.zero_point = {0, 0};
  ExpectRefused("1 scales, but 2 zero points");
  quantization.scale = {1, 1, 1};
  quantization.zero_point = {0, 0, 0};
  quantization.quantized_dimension = 4;
  ExpectRefused("quantized_dimension 4, but the shape has 4 dimensions");
  quantization.quantized_dimension = 0;
  ExpectRefused("3 scales, but dimension 0 is 4");
  quantization.quantized_dimension = 1;
  ExpectAccepted();
  tensor(conv_).type = TensorType::kInt8;
  tensor(conv_).quantization = PerTensor(1, 128);
  ExpectRefused("zero point 128 is outside INT8");
}

TEST(ModelVerifierControlFlowTest, ChecksReferencesAndRecursion) {
  ModelBuilder builder;
  const TensorId condition = builder.Input("condition", {1}, TensorType::kBool);
  const TensorId x = builder.Input("x", {2});
  const TensorId y = builder.Activation("y", {2});
  const OpId branch = builder.AddOp(OpKind::kIf, {condition, x}, {y}, MakeIfOptions(SubgraphId(1), SubgraphId(2)));
  builder.Output(y);
  EXPECT_THAT(std::string(VerifyModel(builder.model()).message()), HasSubstr("runs subgraph 1, but the model has 1"));
  for (const char* name : {"then", "else"}) {
    builder.AddSubgraph(name);
    const TensorId in = builder.Input("in", {2});
    const TensorId out = builder.Activation("out", {2});
    builder.AddOp(OpKind::kRelu, {in}, {out});
    builder.Output(out);
  }
  EXPECT_TRUE(VerifyModel(builder.model()).ok()) << VerifyModel(builder.model());

  Op& inner = builder.model().subgraphs[2].ops[0];
  inner = builder.model().subgraphs[0].ops[branch.index()];
  inner.inputs = {TensorId(0)};
  inner.outputs = {TensorId(1)};
  EXPECT_THAT(std::string(VerifyModel(builder.model()).message()), HasSubstr("runs itself"));
}

}  // namespace
}  // namespace lathe
