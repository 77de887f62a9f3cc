#include "runtime/metrics/error_rate.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

// One frame a class; classes are those of "ab " and a blank.
std::vector<double> Frames(const std::vector<size_t>& best) {
  std::vector<double> scores(6 * 4, 0);
  for (size_t i = 0; i < 6; ++i) scores[i * 4 + (i < best.size() ? best[i] : 3)] = 1;
  return scores;
}

MetricCase Rate() {
  MetricOptions options;
  options.ctc.alphabet = "ab ";
  return MetricCase("wer", {MakeInfo("logits", {1, 6, 4})}, options);
}

TEST(ErrorRateTest, DividesAllEditsByAllWordsAndCharacters) {
  MetricCase rate = Rate();
  ASSERT_TRUE(rate.bound().ok()) << rate.bound();
  ASSERT_TRUE(rate.Add({Frames({0, 2, 1})}, {0, 2, 1, -1}).ok());     // "a b", right
  ASSERT_TRUE(rate.Add({Frames({0, 1})}, {0, 2, 1, 2, 0, -1}).ok());  // "ab" for "a b a": 3 words wrong, 3 characters
  EXPECT_THAT(rate.Figures(), testing::ElementsAre(3.0 / 5, 3.0 / 8));
}

TEST(ErrorRateTest, IsNotDefinedWithoutWords) {
  MetricCase rate = Rate();
  ASSERT_TRUE(rate.Add({Frames({0})}, {-1}).ok());
  EXPECT_FALSE(std::isfinite(rate.Figures()[0]));
}

}  // namespace
}  // namespace lathe
