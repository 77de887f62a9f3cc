#include "runtime/metrics/roc_auc.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

TEST(RocAucTest, IsTheShareOfPairsInTheRightOrderTiesHalf) {
  MetricCase auc("auc", {MakeInfo("y", {1, 1})});
  ASSERT_TRUE(auc.Add({{0.1}}, {0}).ok());
  ASSERT_TRUE(auc.Add({{0.4}}, {0}).ok());
  ASSERT_TRUE(auc.Add({{0.4}}, {1}).ok());
  ASSERT_TRUE(auc.Add({{0.9}}, {1}).ok());
  EXPECT_DOUBLE_EQ(auc.Figures()[0], 3.5 / 4);
  EXPECT_DOUBLE_EQ(auc.Figures({0, 2, 1, 1})[0], 3.0 / 4);
}

TEST(RocAucTest, SubtractsTheFirstOfTwoScores) {
  MetricCase auc("auc", {MakeInfo("y", {1, 2})});
  ASSERT_TRUE(auc.Add({{5, 9}}, {0}).ok());  // 4
  ASSERT_TRUE(auc.Add({{1, 7}}, {1}).ok());  // 6
  EXPECT_EQ(auc.Figures()[0], 1);
}

TEST(RocAucTest, AveragesOverClassesOneAgainstTheRest) {
  MetricCase auc("auc", {MakeInfo("y", {1, 3})});
  ASSERT_TRUE(auc.Add({{9, 0, 1}}, {0}).ok());
  ASSERT_TRUE(auc.Add({{0, 9, 2}}, {1}).ok());
  ASSERT_TRUE(auc.Add({{0, 5, 0}}, {1}).ok());
  EXPECT_EQ(auc.Figures()[0], 1);  // class 2 has no samples and does not count
  ASSERT_TRUE(auc.Add({{1, 0, 0}}, {2}).ok());
  EXPECT_LT(auc.Figures()[0], 1);
}

TEST(RocAucTest, IsNotDefinedForOneSideAndRefusesOtherLabels) {
  MetricCase auc("auc", {MakeInfo("y", {1, 1})});
  ASSERT_TRUE(auc.Add({{0.1}}, {1}).ok());
  EXPECT_FALSE(std::isfinite(auc.Figures()[0]));
  EXPECT_EQ(ReasonOf(auc.Add({{0.1}}, {2})), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(auc.Add({{0.1}}, {0, 1})), "LABELS_INVALID");
}

}  // namespace
}  // namespace lathe
