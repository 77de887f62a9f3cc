#include "runtime/metrics/signal_error.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

TEST(SignalErrorTest, AveragesPsnrOverSamplesAndSquaresOverValues) {
  MetricOptions options;
  options.peak = 255;
  MetricCase error("psnr", {MakeInfo("y", {1, 2})}, options);
  ASSERT_TRUE(error.Add({{10, 20}}, {10, 20}).ok());
  ASSERT_TRUE(error.Add({{10, 20}}, {13, 24}).ok());  // mean square 12.5
  EXPECT_DOUBLE_EQ(error.Figures()[0], (200 + 10 * std::log10(255.0 * 255 / 12.5)) / 2);
  EXPECT_DOUBLE_EQ(error.Figures()[1], 2.5);
}

TEST(SignalErrorTest, DoesNotTakeOneForThePeakOfLargerLabels) {
  MetricCase error("psnr", {MakeInfo("y", {1, 2})});
  ASSERT_TRUE(error.Add({{10, 20}}, {10, 21}).ok());
  EXPECT_FALSE(std::isfinite(error.Figures()[0]));
  EXPECT_DOUBLE_EQ(error.Figures()[1], std::sqrt(0.5));
}

TEST(SignalErrorTest, WantsALabelForEachValue) {
  MetricCase error("rmse", {MakeInfo("y", {1, 2})});
  EXPECT_EQ(ReasonOf(error.Add({{0, 0}}, {0})), "LABELS_INVALID");
}

}  // namespace
}  // namespace lathe
