#include "runtime/metrics/top_k.h"

#include <gmock/gmock.h>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

TEST(TopKTest, CountsTheLargestAndTheFiveLargest) {
  MetricCase top("top1", {MakeInfo("y", {1, 6})});
  ASSERT_TRUE(top.Add({{0, 1, 2, 3, 4, 5}}, {5}).ok());
  ASSERT_TRUE(top.Add({{0, 1, 2, 3, 4, 5}}, {1}).ok());
  ASSERT_TRUE(top.Add({{0, 1, 2, 3, 4, 5}}, {0}).ok());
  ASSERT_TRUE(top.Add({{9, 1, 2, 3, 4, 5}}, {5}).ok());
  EXPECT_THAT(top.Figures(), ElementsAre(0.25, 0.75));
  EXPECT_THAT(top.Figures({3, 0, 1, 0}), ElementsAre(0.75, 0.75));
}

TEST(TopKTest, TakesTheLowerOfEqualClasses) {
  MetricCase top("top1", {MakeInfo("y", {1, 3})});
  ASSERT_TRUE(top.Add({{7, 7, 0}}, {1}).ok());
  ASSERT_TRUE(top.Add({{7, 7, 0}}, {0}).ok());
  EXPECT_EQ(top.Figures()[0], 0.5);
}

TEST(TopKTest, ReadsALabelForEachRowAndLeavesOutMinusOne) {
  MetricCase top("top1", {MakeInfo("y", {1, 3, 2})});
  ASSERT_TRUE(top.Add({{1, 0, 0, 1, 1, 0}}, {0, 0, -1}).ok());
  EXPECT_EQ(top.Figures()[0], 0.5);
}

TEST(TopKTest, RefusesLabelsOutsideTheClassesAndOtherCounts) {
  MetricCase top("top1", {MakeInfo("y", {1, 3})});
  for (const std::vector<double>& labels : std::vector<std::vector<double>>{{3}, {-1}, {0.5}, {}, {0, 1}}) {
    EXPECT_EQ(ReasonOf(top.Add({{1, 2, 3}}, labels)), "LABELS_INVALID");
  }
}

TEST(TopKTest, RefusesOutputsWithoutClassesAndAsksWhichOfSeveral) {
  EXPECT_EQ(ReasonOf(MetricCase("top1", {MakeInfo("y", {1, 1})}).bound()), "METRIC_UNFIT");
  const std::vector<TensorInfo> two = {MakeInfo("a", {1, 3}), MakeInfo("b", {1, 3})};
  EXPECT_EQ(ReasonOf(MetricCase("top1", two).bound()), "METRIC_UNFIT");
  MetricOptions options;
  options.output = "b";
  EXPECT_TRUE(MetricCase("top1", two, options).bound().ok());
}

}  // namespace
}  // namespace lathe
