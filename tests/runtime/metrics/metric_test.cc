#include "runtime/metrics/metric.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

TEST(MakeMetricTest, MakesEveryMetricOfTheTable) {
  for (const MetricInfo& info : Metrics()) {
    const std::vector<std::string> figures = MakeMetric(info.name, {})->figures();
    EXPECT_EQ(std::count(figures.begin(), figures.end(), info.name), 1) << info.name;
    for (const std::string& figure : figures) EXPECT_NE(FindMetric(figure), nullptr) << figure;
  }
}

TEST(RowLengthTest, IsTheAxisThatHoldsAllOrTheLast) {
  EXPECT_EQ(RowLength(MakeInfo("y", {1, 10})), 10u);
  EXPECT_EQ(RowLength(MakeInfo("y", {1, 10, 1, 1})), 10u);
  EXPECT_EQ(RowLength(MakeInfo("y", {1, 5, 3})), 3u);
}

}  // namespace
}  // namespace lathe
