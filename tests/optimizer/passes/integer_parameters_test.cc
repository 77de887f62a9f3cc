#include "optimizer/passes/integer_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

IntegerPlan Plan(const Model& model, const RangeTable& ranges, const QuantizeSettings& settings = {}) {
  return PlanIntegers({.model = model, .ranges = ranges, .settings = settings});
}

TEST(PlanIntegersTest, UnobservedActivationKeepsItsOperatorFloatWithAReason) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 32}), 10, 1));
  const Model model = builder.Build();
  const IntegerPlan plan = Plan(model, RangeTable());
  EXPECT_THAT(plan.widths, ::testing::ElementsAre(0));
  ASSERT_EQ(plan.float_reasons.size(), 1u);
  EXPECT_THAT(plan.float_reasons.at(OpId(0)), ::testing::HasSubstr("not observed"));
}

TEST(PlanIntegersTest, ProducerWritesTheScaleOfItsSameScaleReader) {
  ModelBuilder builder;
  const TensorId a = builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 8, 3, 1);
  const TensorId limit = builder.Constant("limit", {1}, std::vector<float>{6});
  const TensorId b = builder.Activation("b", {1, 8, 8, 8});
  builder.AddOp(OpKind::kMinimum, {a, limit}, {b});
  builder.Output(b);
  const Model model = builder.Build();
  RangeTable ranges = UnitRanges(model);
  ranges.Merge(a, -10, 10);  // wider than what MINIMUM lets through
  ranges.Merge(b, -10, 6);
  const IntegerPlan plan = Plan(model, ranges);
  EXPECT_THAT(plan.widths, ::testing::ElementsAre(8, 8));
  EXPECT_EQ(plan.Find(a, 8), plan.Find(b, 8));
  EXPECT_EQ(*plan.Find(b, 8), math::ChooseInt8Params(-10, 6));
  EXPECT_EQ(plan.WantedBy(OpId(1), model.subgraphs[0].ops[1], 1), *plan.Find(b, 8));
}

// x - mean and (x - mean)^2 beside each other, as layer normalisation reads a mean; more readers by `add`.
template <typename Add>
Model Centred(const Add& add) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4, 8}), mean = builder.Activation("mean", {4, 1});
  const TensorId axis = builder.Constant("axis", {1}, std::vector<int32_t>{-1});
  builder.AddOp(OpKind::kMean, {x, axis}, {mean}, MakeReducerOptions(true));
  const TensorId centred = builder.Activation("centred", {4, 8}), squares = builder.Activation("squares", {4, 8});
  builder.AddOp(OpKind::kSub, {x, mean}, {centred}, MakeSubOptions());
  builder.AddOp(OpKind::kSquaredDifference, {x, mean}, {squares});
  builder.Output(centred);
  builder.Output(squares);
  add(builder, mean);
  return builder.Build();
}

RangeTable NoMean(const Model& model) {
  RangeTable ranges;
  for (size_t i = 0; i < model.subgraphs[0].tensors.size(); ++i) {
    const bool is_mean = model.subgraphs[0].tensors[i].name == "mean";
    if (!model.IsConstant(model.subgraphs[0].tensors[i]))
      ranges.Merge(TensorId(i), is_mean ? -1e-6f : -1, is_mean ? 1e-6f : 1);
  }
  return ranges;
}

TEST(PlanIntegersTest, MeanNextToZeroIsMadeCoarserForTheKernelOfTheDifference) {
  const Model model = Centred([](ModelBuilder&, TensorId) {});
  EXPECT_THAT(Plan(model, NoMean(model)).widths, ::testing::ElementsAre(8, 8, 8));
}

TEST(PlanIntegersTest, MeanThatAnotherOperatorReadsKeepsItsScale) {
  const Model model = Centred([](ModelBuilder& builder, TensorId mean) {
    const TensorId y = builder.Activation("y", {4, 1});
    builder.AddOp(OpKind::kAbs, {mean}, {y});
    builder.Output(y);
  });
  EXPECT_THAT(Plan(model, NoMean(model)).widths, ::testing::ElementsAre(8, 0, 8, 8));
}

}  // namespace
}  // namespace lathe
