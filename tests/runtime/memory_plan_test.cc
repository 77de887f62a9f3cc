#include "runtime/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

TEST(PlanSpreadTest, PrefersOneThreadInterpreters) {
  const Spread spread = PlanSpread(4, 100, 1000, 50);
  EXPECT_EQ(spread.interpreters, 4);
  EXPECT_EQ(spread.threads, 1);
}

TEST(PlanSpreadTest, HasFewerWithMoreThreadsWhenMemoryIsShort) {
  const Spread spread = PlanSpread(4, 100, 250, 50);
  EXPECT_EQ(spread.interpreters, 2);
  EXPECT_EQ(spread.threads, 2);
  EXPECT_EQ(PlanSpread(4, 100, 50, 50).interpreters, 1);
  EXPECT_EQ(PlanSpread(4, 100, 50, 50).threads, 4);
}

TEST(PlanSpreadTest, HasNoMoreInterpretersThanSamples) { EXPECT_EQ(PlanSpread(8, 1, 1000, 1).interpreters, 1); }

// Three RELUs of 1,000 floats in a row: two tensors live at a time.
Model Chain() {
  ModelBuilder builder;
  TensorId last = builder.Input("in", {1, 1000});
  for (int i = 0; i < 3; ++i) {
    const TensorId next = builder.Activation("r" + std::to_string(i), {1, 1000});
    builder.AddOp(OpKind::kRelu, {last}, {next});
    last = next;
  }
  builder.Output(last);
  return builder.Build();
}

TEST(MemoryPlanTest, CountsActivationsThatLiveTogether) { EXPECT_EQ(EstimateActivationPeakBytes(Chain()), 8000u); }

TEST(MemoryPlanTest, GroupsInOrderAndLeavesLargeOnesAlone) {
  const Model model = Chain();
  const std::vector<TensorId> ids = {TensorId(0), TensorId(1), TensorId(2), TensorId(3)};
  EXPECT_THAT(GroupByBytes(model, ids, 8000),
              ElementsAre(ElementsAre(TensorId(0), TensorId(1)), ElementsAre(TensorId(2), TensorId(3))));
  EXPECT_EQ(GroupByBytes(model, ids, 1).size(), 4u);
  EXPECT_TRUE(GroupByBytes(model, {}, 1).empty());
}

}  // namespace
}  // namespace lathe
