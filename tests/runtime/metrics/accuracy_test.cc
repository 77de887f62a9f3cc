#include "runtime/metrics/accuracy.h"

#include <gmock/gmock.h>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// Of top1 for `right` of 200 samples.
SampleScores Scores(size_t right) {
  SampleScores scores;
  for (size_t i = 0; i < 200; ++i) scores.push_back({i < right ? 1.0 : 0.0, 1, 1});
  return scores;
}

AccuracyReport Describe(std::vector<SampleScores> scores) {
  const MetricCase top("top1", {MakeInfo("y", {1, 3})});
  auto report = DescribeAccuracy("top1", top.metric(), std::move(scores), 0);
  EXPECT_TRUE(report.ok()) << report.status();
  return *report;
}

TEST(DescribeAccuracyTest, GivesOneModelsFigures) {
  const AccuracyReport report = Describe({Scores(150)});
  EXPECT_EQ(report.input, 0.75);
  EXPECT_EQ(report.unit, "fraction");
  EXPECT_TRUE(report.higher_is_better);
  EXPECT_EQ(report.samples, 200u);
  ASSERT_EQ(report.also.size(), 1u);
  EXPECT_EQ(report.also[0].metric, "top5");
  EXPECT_FALSE(report.output || report.difference);
}

TEST(DescribeAccuracyTest, SaysWhetherADifferenceIsReal) {
  const AccuracyReport chance = Describe({Scores(150), Scores(149)});
  EXPECT_NEAR(*chance.difference_points, -0.5, 1e-9);
  EXPECT_THAT(chance.verdict, testing::AllOf(HasSubstr("0.50 points worse"), HasSubstr("not distinguishable")));
  const AccuracyReport real = Describe({Scores(150), Scores(120)});
  EXPECT_THAT(real.verdict, HasSubstr("15.00 points worse (95 % interval -"));
  EXPECT_LT(*real.difference_high, 0);
  EXPECT_THAT(Describe({Scores(150), Scores(150)}).verdict, HasSubstr("no difference"));
}

TEST(DescribeAccuracyTest, SaysWhyThereIsNoFigure) {
  const MetricCase top("top1", {MakeInfo("y", {1, 2, 3})});
  const auto report = DescribeAccuracy("top1", top.metric(), {{{0, 0, 0}}}, 0);
  EXPECT_EQ(ReasonOf(report.status()), "METRIC_UNDEFINED");
}

}  // namespace
}  // namespace lathe
