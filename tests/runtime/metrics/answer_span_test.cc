#include "runtime/metrics/answer_span.h"

#include <gmock/gmock.h>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

MetricCase Spans(const MetricOptions& options = {}) {
  return MetricCase("f1", {MakeInfo("end_logits", {1, 8}), MakeInfo("start_logits", {1, 8})}, options,
                    {MakeInfo("ids", {1, 8})});
}

const std::vector<std::vector<double>> kIds = {{1, 9, 2, 5, 6, 7, 2, 0}};  // context at 3 .. 5

TEST(AnswerSpanTest, TakesTheBestPairBetweenTheSeparators) {
  MetricCase spans = Spans();
  ASSERT_TRUE(spans.bound().ok()) << spans.bound();
  // The largest values stand outside the context, and before their start.
  ASSERT_TRUE(spans.Add({{9, 9, 9, 3, 1, 2, 9, 9}, {9, 9, 9, 0, 2, 1, 9, 9}}, {4, 5}, {}, kIds).ok());
  EXPECT_THAT(spans.Figures(), ElementsAre(100, 100));
  ASSERT_TRUE(spans.Add({{0, 0, 0, 0, 0, 9, 0, 0}, {0, 0, 0, 9, 0, 0, 0, 0}}, {3, 3}, {}, kIds).ok());
  EXPECT_THAT(spans.Figures(), ElementsAre(75, 50));  // 3 of 3 words given for 1: f1 = 2 / 4
}

TEST(AnswerSpanTest, KeepsToItsWindow) {
  MetricOptions options;
  options.answer_span.window = 2;
  MetricCase spans = Spans(options);
  ASSERT_TRUE(spans.Add({{0, 0, 0, 0, 1, 9, 0, 0}, {0, 0, 0, 9, 0, 0, 0, 0}}, {3, 4}, {}, kIds).ok());
  EXPECT_EQ(spans.Figures()[1], 100);
}

TEST(AnswerSpanTest, NormalizesWordsOfAVocabulary) {
  MetricOptions options;
  options.answer_span.vocabulary = {"", "", "", "", "", "The", "Dog.", "dog", "", "x"};
  MetricCase spans = Spans(options);
  ASSERT_TRUE(spans.Add({{0, 0, 0, 0, 9, 0, 0, 0}, {0, 0, 0, 9, 0, 0, 0, 0}}, {5, 5}, {}, kIds).ok());
  EXPECT_THAT(spans.Figures(), ElementsAre(100, 100));  // "The Dog." is "dog"
}

TEST(AnswerSpanTest, RefusesLabelsThatAreNoSpanAndInputsWithoutContext) {
  MetricCase spans = Spans();
  const std::vector<std::vector<double>> outputs = {std::vector<double>(8, 0), std::vector<double>(8, 0)};
  EXPECT_EQ(ReasonOf(spans.Add(outputs, {5, 3}, {}, kIds)), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(spans.Add(outputs, {3, 8}, {}, kIds)), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(spans.Add(outputs, {3}, {}, kIds)), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(spans.Add(outputs, {3, 4}, {}, {{1, 9, 2, 5, 6, 7, 0, 0}})), "LABELS_INVALID");
}

TEST(AnswerSpanTest, NamesTheOutputsThatItLacks) {
  const MetricCase spans("f1", {MakeInfo("a", {1, 8}), MakeInfo("b", {1, 8})}, {}, {MakeInfo("ids", {1, 8})});
  EXPECT_EQ(ReasonOf(spans.bound()), "METRIC_UNFIT");
  EXPECT_THAT(std::string(spans.bound().message()), testing::HasSubstr("answer_span.start"));
}

}  // namespace
}  // namespace lathe
