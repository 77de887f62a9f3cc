#include "optimizer/recipe/metric.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

TEST(CheckMetricTest, TakesEveryMetricOfTheTableWithoutOptions) {
  for (const MetricInfo& info : Metrics()) EXPECT_TRUE(CheckMetric(info.name, {}, "metric", "options").empty());
}

TEST(CheckMetricTest, NamesEveryBadField) {
  MetricOptions options;
  options.label_scale = 0;
  options.peak = -1;
  options.detection.score_min = 2;
  options.detection.anchors = {{0, 3}};
  options.answer_span.window = 0;
  std::vector<std::string> fields;
  for (const FieldViolation& violation : CheckMetric("nonsense", options, "metric", "options")) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields,
              testing::ElementsAre("metric", "options.label_scale", "options.peak", "options.answer_span.window",
                                   "options.detection.score_min", "options.detection.anchors[0]"));
}

}  // namespace
}  // namespace lathe
