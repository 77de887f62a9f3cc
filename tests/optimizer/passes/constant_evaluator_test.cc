#include "optimizer/passes/constant_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

// The result of the model's first operator as values of T.
template <typename T>
std::optional<std::vector<T>> Evaluate(ModelBuilder& builder) {
  const Model model = builder.Build();
  const auto bytes = EvaluateConstant(model, model.subgraphs[0], model.subgraphs[0].ops[0]);
  if (!bytes) return std::nullopt;
  std::vector<T> values(bytes->size() / sizeof(T));
  std::memcpy(values.data(), bytes->data(), bytes->size());
  return values;
}

template <typename T>
std::vector<uint8_t> Bytes(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(ConstantEvaluatorTest, BroadcastsAndAppliesTheActivation) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kSub,
                {builder.Constant("a", {2, 1}, std::vector<float>{1, 5}),
                 builder.Constant("b", {3}, std::vector<float>{0, 2, -3})},
                {builder.Activation("y", {2, 3})}, MakeSubOptions(Activation::kRelu6));
  EXPECT_THAT(Evaluate<float>(builder), Optional(ElementsAre(1, 0, 4, 5, 3, 6)));
}

TEST(ConstantEvaluatorTest, IntegersWrapAsTheKernelsDo) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kMul,
                {builder.Constant("a", {2}, std::vector<int32_t>{INT32_MAX, -3}),
                 builder.Constant("b", {2}, std::vector<int32_t>{2, 4})},
                {builder.Activation("y", {2}, TensorType::kInt32)}, MakeMulOptions());
  EXPECT_THAT(Evaluate<int32_t>(builder), Optional(ElementsAre(-2, -12)));
}

TEST(ConstantEvaluatorTest, WhatIsNotFiniteStaysAnOperator) {
  ModelBuilder builder;
  builder.AddOp(
      OpKind::kDiv,
      {builder.Constant("a", {2}, std::vector<float>{1, 2}), builder.Constant("b", {2}, std::vector<float>{4, 0})},
      {builder.Activation("y", {2})});
  EXPECT_EQ(Evaluate<float>(builder), std::nullopt);
}

TEST(ConstantEvaluatorTest, Transposes) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kTranspose,
                {builder.Constant("a", {2, 1, 3}, std::vector<int32_t>{1, 2, 3, 4, 5, 6}),
                 builder.Constant("p", {3}, std::vector<int32_t>{2, 0, 1})},
                {builder.Activation("y", {3, 2, 1}, TensorType::kInt32)});
  EXPECT_THAT(Evaluate<int32_t>(builder), Optional(ElementsAre(1, 4, 2, 5, 3, 6)));
}

TEST(ConstantEvaluatorTest, HostilePermutationStays) {
  for (std::vector<int32_t> permutation : {std::vector<int32_t>{0, 0}, {0, 7}, {-3, 0}}) {
    ModelBuilder builder;
    builder.AddOp(
        OpKind::kTranspose,
        {builder.Constant("a", {2, 2}, std::vector<int32_t>{1, 2, 3, 4}), builder.Constant("p", {2}, permutation)},
        {builder.Activation("y", {2, 2}, TensorType::kInt32)});
    EXPECT_EQ(Evaluate<int32_t>(builder), std::nullopt);
  }
}

TEST(ConstantEvaluatorTest, CastsTowardsZeroAndRefusesWhatDoesNotFit) {
  ModelBuilder fits, too_large;
  fits.AddOp(OpKind::kCast, {fits.Constant("a", {3}, std::vector<float>{2.9f, -2.9f, 2147483520.0f})},
             {fits.Activation("y", {3}, TensorType::kInt32)});
  EXPECT_THAT(Evaluate<int32_t>(fits), Optional(ElementsAre(2, -2, 2147483520)));
  too_large.AddOp(OpKind::kCast, {too_large.Constant("a", {1}, std::vector<float>{2147483648.0f})},
                  {too_large.Activation("y", {1}, TensorType::kInt32)});
  EXPECT_EQ(Evaluate<int32_t>(too_large), std::nullopt);
}

TEST(ConstantEvaluatorTest, CastsFromBool) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kCast, {builder.Constant("a", {2}, TensorType::kBool, {1, 0})},
                {builder.Activation("y", {2}, TensorType::kInt64)});
  EXPECT_THAT(Evaluate<int64_t>(builder), Optional(ElementsAre(1, 0)));
}

TEST(ConstantEvaluatorTest, LargeResultsOfSmallConstantsStay) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kMul, {builder.RandomConstant("a", {1024, 1}, 1), builder.RandomConstant("b", {1, 1024}, 2)},
                {builder.Activation("y", {1024, 1024})}, MakeMulOptions());
  EXPECT_EQ(Evaluate<float>(builder), std::nullopt);
}

TEST(ConstantEvaluatorTest, ShapesThatDoNotFitStay) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kAdd, {builder.RandomConstant("a", {2}, 1), builder.RandomConstant("b", {2}, 2)},
                {builder.Activation("y", {3, 2})}, MakeAddOptions());
  EXPECT_EQ(Evaluate<float>(builder), std::nullopt);
}

TEST(ConstantEvaluatorTest, QuantizedConstantsStay) {
  ModelBuilder builder;
  const TensorId a = builder.Constant("a", {2}, TensorType::kInt32, Bytes<int32_t>({1, 2}), PerTensor(0.5f, 0));
  builder.AddOp(OpKind::kAdd, {a, a}, {builder.Activation("y", {2}, TensorType::kInt32)}, MakeAddOptions());
  EXPECT_EQ(Evaluate<int32_t>(builder), std::nullopt);
}

TEST(ConstantEvaluatorTest, ReshapeIsAViewOfTheSameBytes) {
  ModelBuilder builder;
  builder.AddOp(OpKind::kReshape,
                {builder.RandomConstant("a", {2, 3}, 1), builder.Constant("s", {1}, std::vector<int32_t>{6})},
                {builder.Activation("y", {6})}, MakeReshapeOptions({6}));
  const Model model = builder.Build();
  EXPECT_TRUE(IsConstantView(model, model.subgraphs[0], model.subgraphs[0].ops[0]));
}

}  // namespace
}  // namespace lathe
