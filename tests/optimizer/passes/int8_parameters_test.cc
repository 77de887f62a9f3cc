#include "optimizer/passes/int8_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

TEST(PlanInt8Test, UnobservedActivationKeepsItsOperatorFloatWithAWarning) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 32}), 10, 1));
  const Model model = builder.Build();
  const Int8Plan plan = PlanInt8(model, RangeTable(), {});
  EXPECT_THAT(plan.is_int8, ::testing::ElementsAre(false));
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_THAT(plan.warnings[0], ::testing::HasSubstr("FULLY_CONNECTED"));
}

TEST(PlanInt8Test, ProducerWritesTheScaleOfItsSameScaleReader) {
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
  QuantizeSettings strict;
  strict.require_full_integer = true;
  const Int8Plan plan = PlanInt8(model, ranges, strict);
  EXPECT_THAT(plan.is_int8, ::testing::ElementsAre(true, true));
  EXPECT_EQ(plan.params[a.index()], plan.params[b.index()]);
  EXPECT_EQ(plan.WantedBy(model.subgraphs[0].ops[1], limit), *plan.params[b.index()]);
}

}  // namespace
}  // namespace lathe
