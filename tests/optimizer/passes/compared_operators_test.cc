#include "optimizer/passes/compared_operators.h"

#include <gmock/gmock.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Names(const Model& model, const std::vector<TensorId>& ids) {
  std::string names;
  for (TensorId id : ids) names += model.subgraphs[0].tensor(id).name + " ";
  return names;
}

TEST(ComparedOperatorsTest, ActivationsThatOneFileHasFusedArePartOfTheChain) {
  ModelBuilder plain, fused;
  const TensorId x = plain.Conv2d(plain.Input("image", {1, 4, 4, 3}), 8, 3, 1);
  const TensorId y = plain.Activation("relu", {1, 4, 4, 8});
  plain.AddOp(OpKind::kRelu, {x}, {y});
  plain.Output(plain.Conv2d(y, 2, 1, 5));
  ConvOptions relu;
  relu.activation = Activation::kRelu;
  fused.Output(fused.Conv2d(fused.Conv2d(fused.Input("image", {1, 4, 4, 3}), 8, 3, 1, relu), 2, 1, 5));
  const Model a = plain.Build(), b = fused.Build();
  const ComparedModels compared = FindComparedOperators(a, b);
  ASSERT_EQ(compared.operators.size(), 2u);
  EXPECT_THAT(compared.operators[0].chain, ElementsAre(OpId(0), OpId(1)));
  EXPECT_EQ(Names(a, compared.operators[0].a_outputs), "relu ");
  EXPECT_THAT(compared.only_a, IsEmpty());
  EXPECT_THAT(compared.only_b, IsEmpty());
  // The other way round it is b's output that moves.
  const ComparedModels turned = FindComparedOperators(b, a);
  EXPECT_EQ(Names(a, turned.operators[0].b_outputs), "relu ");
  EXPECT_THAT(turned.only_b, IsEmpty());
}

TEST(ComparedOperatorsTest, ConversionsOfTheSecondFileArePlacesOfTheirOwn) {
  ModelBuilder plain, quantized;
  plain.Output(plain.Conv2d(plain.Input("image", {1, 4, 4, 3}), 8, 3, 1));
  const TensorId image = quantized.Input("image", {1, 4, 4, 3});
  const TensorId integer = quantized.Activation("image_q", {1, 4, 4, 3}, TensorType::kInt8, PerTensor(0.1f, 0));
  const TensorId back = quantized.Activation("image_f", {1, 4, 4, 3});
  quantized.AddOp(OpKind::kQuantize, {image}, {integer});
  quantized.AddOp(OpKind::kDequantize, {integer}, {back});
  quantized.Output(quantized.Conv2d(back, 8, 3, 1));
  const Model a = plain.Build(), b = quantized.Build();
  const ComparedModels compared = FindComparedOperators(a, b);
  ASSERT_EQ(compared.operators.size(), 2u);
  EXPECT_TRUE(compared.operators[0].chain.empty());
  EXPECT_EQ(Names(a, compared.operators[0].a_outputs), "image ");
  EXPECT_EQ(Names(b, compared.operators[0].b_outputs), "image_q ");
  ASSERT_EQ(compared.operators[1].data.size(), 1u);
  EXPECT_EQ(compared.operators[1].data[0].b, back);
}

TEST(ComparedOperatorsTest, QuantizedInputsAreCompared) {
  ModelBuilder plain, quantized;
  plain.Output(plain.Conv2d(plain.Input("image", {1, 4, 4, 3}), 8, 3, 1));
  const TensorId image = quantized.Activation("image", {1, 4, 4, 3}, TensorType::kInt8, PerTensor(0.1f, 0));
  quantized.model().subgraphs[0].inputs.push_back(image);
  const TensorId back = quantized.Activation("image_f", {1, 4, 4, 3});
  quantized.AddOp(OpKind::kDequantize, {image}, {back});
  quantized.Output(quantized.Conv2d(back, 8, 3, 1));
  const ComparedModels compared = FindComparedOperators(plain.Build(), quantized.Build());
  ASSERT_EQ(compared.operators.size(), 2u);
  EXPECT_FALSE(compared.operators[0].b.valid());
  EXPECT_THAT(compared.operators[0].b_outputs, ElementsAre(image));
}

// A padding that one file keeps as an operator and the other has in its convolution.
TEST(ComparedOperatorsTest, FoldedPaddingIsPartOfTheChain) {
  ModelBuilder padded, folded;
  const TensorId image = padded.Input("image", {1, 4, 4, 3});
  const TensorId larger = padded.Activation("padded", {1, 6, 6, 3});
  padded.AddOp(OpKind::kPad, {image, padded.Constant("pads", {4, 2}, std::vector<int32_t>{0, 0, 1, 1, 1, 1, 0, 0})},
               {larger});
  ConvOptions valid;
  valid.same_padding = false;
  padded.Output(padded.Conv2d(larger, 8, 3, 1, valid));
  folded.Output(folded.Conv2d(folded.Input("image", {1, 4, 4, 3}), 8, 3, 1));
  const ComparedModels compared = FindComparedOperators(padded.Build(), folded.Build());
  ASSERT_EQ(compared.operators.size(), 1u);
  EXPECT_THAT(compared.operators[0].chain, ElementsAre(OpId(0), OpId(1)));
  ASSERT_EQ(compared.operators[0].data.size(), 1u);
  EXPECT_EQ(compared.operators[0].data[0].a, image);
  EXPECT_THAT(compared.only_a, IsEmpty());
}

}  // namespace
}  // namespace lathe
