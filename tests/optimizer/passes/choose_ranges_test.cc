#include "optimizer/passes/choose_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/parallel.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

// in -> CONV_2D -> "a" -> CONV_2D -> "b" -> FULLY_CONNECTED -> "logits" -> SOFTMAX -> "answer"; values have long tails.
class ChooseRangesTest : public ::testing::Test {
 protected:
  ChooseRangesTest() {
    ModelBuilder builder;
    in_ = builder.Input("in", {1, 8, 8, 4});
    a_ = builder.Conv2d(in_, 4, 3, 1);
    b_ = builder.Conv2d(a_, 4, 3, 2);
    logits_ = builder.FullyConnected(b_, 10, 3);
    answer_ = builder.Activation("answer", {1, 10});
    builder.AddOp(OpKind::kSoftmax, {logits_}, {answer_}, MakeSoftmaxOptions(1));
    builder.Output(answer_);
    model_ = builder.Build();
    for (TensorId id : {in_, a_, b_, logits_, answer_}) See(id);
    for (TensorId id : {in_, a_, b_, logits_, answer_}) groups_.push_back({8, {id}, {id}, std::nullopt});
  }

  // Cubes of normal values, as calibration and histograms would have them.
  void See(TensorId id, float factor = 1) {
    std::mt19937 random(static_cast<uint32_t>(id.index()));
    std::normal_distribution<float> normal;
    std::vector<float> values(100000);
    for (float& value : values) {
      const float x = normal(random);
      value = factor * x * x * x;
    }
    const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
    stats_.Set(id, {{*lo, *hi}, {}});
    math::Histogram histogram(*lo, *hi);
    histogram.Add(values);
    histograms_.Set(id, {histogram, values.size()});
  }

  ChosenRanges Choose(RangeAlgorithm algorithm) const {
    return ChooseRanges(model_, stats_, by_sample_, histograms_, groups_, algorithm);
  }
  bool IsWhole(const ChosenRanges& chosen, TensorId id) const {
    return *chosen.ranges.Find(id) == stats_.Find(id)->range;
  }

  TensorId in_, a_, b_, logits_, answer_;
  Model model_;
  ActivationStats stats_;
  SampleRanges by_sample_;
  HistogramTable histograms_;
  std::vector<ScaleGroup> groups_;
};

TEST_F(ChooseRangesTest, EveryWordOfTheRecipeIsAnAlgorithm) {
  for (const char* name : {"best", "min-max", "percentile", "min-error", "entropy", "moving-average"}) {
    ASSERT_TRUE(FindRangeAlgorithm(name)) << name;
    EXPECT_EQ(RangeAlgorithmName(*FindRangeAlgorithm(name)), name);
  }
  EXPECT_EQ(FindRangeAlgorithm("mse"), std::nullopt);
}

TEST_F(ChooseRangesTest, CutsALongTailOffWhereThatPays) {
  for (RangeAlgorithm algorithm : {RangeAlgorithm::kBest, RangeAlgorithm::kMinError, RangeAlgorithm::kPercentile}) {
    const TensorRange range = *Choose(algorithm).ranges.Find(a_);
    EXPECT_LT(range.max, 0.9F * stats_.Find(a_)->range.max) << RangeAlgorithmName(algorithm);
    EXPECT_GT(range.max, 10) << RangeAlgorithmName(algorithm);
  }
  EXPECT_TRUE(IsWhole(Choose(RangeAlgorithm::kMinMax), a_));
  const ChosenRanges best = Choose(RangeAlgorithm::kBest);
  EXPECT_LT(*best.choices[1].error, *best.choices[1].min_max_error * 0.95);
  EXPECT_EQ(best.choices[1].seen, stats_.Find(a_)->range);
  EXPECT_NE(best.choices[1].algorithm, RangeAlgorithm::kMinMax);
}

// A sample of values 30 times as large: by squared error alone it would be kept, for it has most of the energy.
TEST_F(ChooseRangesTest, DoesNotLetOneSampleSpoilTheOthers) {
  const TensorRange usual = stats_.Find(a_)->range;
  for (size_t sample = 0; sample < 20; ++sample) by_sample_.Add(a_, {sample, usual});
  const TensorRange extreme = {30 * usual.min, 30 * usual.max};
  by_sample_.Add(a_, {20, extreme});
  stats_.Set(a_, {extreme, {}});
  math::Histogram histogram(extreme.min, extreme.max);
  for (size_t i = 0; i < 2000; ++i) {
    histogram.Add(std::vector<float>(20, usual.max * static_cast<float>(i) / 2000));
    histogram.Add(std::vector<float>(1, extreme.max * static_cast<float>(i) / 2000));
  }
  histograms_.Set(a_, {histogram, histogram.total()});
  EXPECT_LE(Choose(RangeAlgorithm::kBest).ranges.Find(a_)->max, usual.max);
  EXPECT_EQ(Choose(RangeAlgorithm::kMinMax).ranges.Find(a_)->max, extreme.max);
}

TEST_F(ChooseRangesTest, BestIsNeverWorseThanAnyOther) {
  const ChosenRanges best = Choose(RangeAlgorithm::kBest);
  for (RangeAlgorithm algorithm : {RangeAlgorithm::kMinError, RangeAlgorithm::kPercentile, RangeAlgorithm::kEntropy}) {
    const ChosenRanges other = Choose(algorithm);
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (!other.choices[i].error) continue;
      EXPECT_LE(*best.choices[i].error, *other.choices[i].error / 0.95 + 1e-12);
    }
  }
}

TEST_F(ChooseRangesTest, NeverClipsAnswersAndWhatDecidesThem) {
  for (RangeAlgorithm algorithm : {RangeAlgorithm::kBest, RangeAlgorithm::kPercentile, RangeAlgorithm::kEntropy}) {
    const ChosenRanges chosen = Choose(algorithm);
    EXPECT_TRUE(IsWhole(chosen, answer_));
    EXPECT_TRUE(IsWhole(chosen, logits_));
  }
}

TEST_F(ChooseRangesTest, NeverClipsSixteenBits) {
  for (ScaleGroup& group : groups_) group.bits = 16;
  for (RangeAlgorithm algorithm : {RangeAlgorithm::kBest, RangeAlgorithm::kPercentile}) {
    for (TensorId id : {in_, a_, b_}) EXPECT_TRUE(IsWhole(Choose(algorithm), id));
  }
}

// Tensors of one scale are merged before anything is chosen: clipping that suits one alone must not hurt the other.
TEST_F(ChooseRangesTest, ChoosesOneRangeForAGroup) {
  const float far = stats_.Find(b_)->range.max;
  histograms_.FindMutable(b_)->histogram.Add(std::vector<float>(5000, far));
  groups_ = {{8, {a_, b_}, {a_, b_}, std::nullopt}};
  const ChosenRanges chosen = Choose(RangeAlgorithm::kBest);
  ASSERT_EQ(chosen.choices.size(), 1u);
  EXPECT_EQ(*chosen.ranges.Find(a_), *chosen.ranges.Find(b_));
  EXPECT_GT(chosen.ranges.Find(a_)->max, 0.95F * far);
  EXPECT_TRUE(IsWhole(chosen, in_));  // in no group
}

// A convolution whose only reader clamps is not measured: only what the clamp lets through counts.
TEST_F(ChooseRangesTest, MeasuresTheMembersThatDecide) {
  groups_ = {{8, {a_, b_}, {b_}, std::nullopt}};
  See(a_, 1e6F);
  EXPECT_EQ(*Choose(RangeAlgorithm::kMinMax).ranges.Find(a_), stats_.Find(b_)->range);
}

TEST_F(ChooseRangesTest, MovesAnAverageInTheOrderOfSamples) {
  by_sample_.Add(a_, {0, {-1, 1}});
  by_sample_.Add(a_, {1, {-2, 11}});
  const TensorRange range = *Choose(RangeAlgorithm::kMovingAverage).ranges.Find(a_);
  EXPECT_FLOAT_EQ(range.min, -1.1F);
  EXPECT_FLOAT_EQ(range.max, 2.0F);
  EXPECT_TRUE(IsWhole(Choose(RangeAlgorithm::kMovingAverage), b_));  // no samples known
}

TEST_F(ChooseRangesTest, KeepsWhatWasSeenOfATensorWithoutHistogram) {
  ActivationStats constant;
  constant.Set(a_, {{0.5F, 0.5F}, {}});
  const ChosenRanges chosen = ChooseRanges(model_, constant, {}, {}, groups_, RangeAlgorithm::kBest);
  EXPECT_EQ(*chosen.ranges.Find(a_), (TensorRange{0.5F, 0.5F}));
  EXPECT_EQ(chosen.ranges.Find(b_), nullptr);
  EXPECT_EQ(chosen.choices.size(), 1u);
}

TEST_F(ChooseRangesTest, GivesTheSameForAnyThreadCount) {
  const ChosenRanges expected = WithThreads(1, [&] { return Choose(RangeAlgorithm::kBest); });
  for (int threads : {2, 8}) {
    const ChosenRanges chosen = WithThreads(threads, [&] { return Choose(RangeAlgorithm::kBest); });
    for (TensorId id : {in_, a_, b_, logits_, answer_}) EXPECT_EQ(*chosen.ranges.Find(id), *expected.ranges.Find(id));
  }
}

}  // namespace
}  // namespace lathe
