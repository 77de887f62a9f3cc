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

}  // namespace
}  // namespace lathe
