#include "runtime/metrics/average_precision.h"

#include <gmock/gmock.h>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

// Boxes as TFLite_Detection_PostProcess gives them, on an image of 100 x 100 pixels.
MetricCase Precision() {
  return MetricCase(
      "map",
      {MakeInfo("boxes", {1, 2, 4}), MakeInfo("classes", {1, 2}), MakeInfo("scores", {1, 2}), MakeInfo("count", {1})},
      {}, {MakeInfo("image", {1, 100, 100, 3})});
}

TEST(AveragePrecisionTest, IsOneForPerfectBoxes) {
  MetricCase precision = Precision();
  ASSERT_TRUE(precision.bound().ok()) << precision.bound();
  ASSERT_TRUE(precision
                  .Add({{0, 0, .5, .5, .5, .5, 1, 1}, {0, 1}, {.9, .8}, {2}},
                       {0, 0, 0, 50, 50, 1, 50, 50, 100, 100, -1, -1, -1, -1, -1})
                  .ok());
  EXPECT_THAT(precision.Figures(), testing::ElementsAre(testing::DoubleNear(1, 1e-12), testing::DoubleNear(1, 1e-12)));
}

// One of two truths is found, by the second-best box: precision 1/2 up to recall 1/2, which 51 of 101 points have.
TEST(AveragePrecisionTest, AveragesOverTheRecallPoints) {
  MetricCase precision = Precision();
  ASSERT_TRUE(
      precision.Add({{.7, .7, .9, .9, 0, 0, .5, .5}, {0, 0}, {.9, .8}, {2}}, {0, 0, 0, 50, 50, 0, 0, 50, 50, 100})
          .ok());
  EXPECT_DOUBLE_EQ(precision.Figures()[0], 0.5 * 51 / 101);
}

// Overlap 40 / 60 counts for the thresholds .50 .. .65 only, which is 4 of 10.
TEST(AveragePrecisionTest, AveragesOverTheOverlaps) {
  MetricCase precision = Precision();
  ASSERT_TRUE(precision.Add({{0, 0, .1, .5, 0, 0, 0, 0}, {0, 0}, {.9, .8}, {1}}, {0, 10, 0, 60, 10}).ok());
  EXPECT_NEAR(precision.Figures()[0], 1, 1e-12);
  EXPECT_NEAR(precision.Figures()[1], 0.4, 1e-12);
}

TEST(AveragePrecisionTest, LetsEveryTruthBeFoundOnce) {
  MetricCase precision = Precision();
  ASSERT_TRUE(precision.Add({{0, 0, .5, .5, 0, 0, .5, .5}, {0, 0}, {.9, .8}, {2}}, {0, 0, 0, 50, 50}).ok());
  ASSERT_TRUE(precision.Add({{0, 0, .5, .5, 0, 0, 0, 0}, {0, 0}, {.7, .8}, {1}}, {0, 0, 0, 50, 50}).ok());
  // Found, not found, found: precision 1 up to recall 1/2 (51 points), then 2/3.
  EXPECT_NEAR(precision.Figures()[0], (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(AveragePrecisionTest, RefusesLabelsThatAreNoBoxes) {
  MetricCase precision = Precision();
  const std::vector<std::vector<double>> outputs = {std::vector<double>(8, 0), {0, 0}, {0, 0}, {0}};
  EXPECT_EQ(ReasonOf(precision.Add(outputs, {0, 1, 2})), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(precision.Add(outputs, {0, 50, 0, 10, 10})), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(precision.Add(outputs, {0.5, 0, 0, 10, 10})), "LABELS_INVALID");
}

}  // namespace
}  // namespace lathe
