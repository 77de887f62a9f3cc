#include "optimizer/passes/calibration_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExamineCalibrationTest : public ::testing::Test {
 protected:
  explicit ExamineCalibrationTest(bool scales_itself = false) {
    ModelBuilder builder;
    in_ = builder.Input("in", {1, 4, 4, 3});
    TensorId last = in_;
    if (scales_itself) {
      last = builder.Activation("scaled", {1, 4, 4, 3});
      builder.AddOp(OpKind::kMul, {in_, builder.Constant("factor", {1}, std::vector<float>{1 / 255.0F})}, {last},
                    MakeMulOptions());
    }
    conv_ = builder.Conv2d(last, 4, 3, 1);
    out_ = builder.FullyConnected(conv_, 10, 2);
    builder.Output(out_);
    model_ = builder.Build();
    for (size_t sample = 0; sample < 20; ++sample) {
      const float reach = 1 + 0.05F * static_cast<float>(sample % 7);
      for (TensorId id : {in_, conv_, out_}) See(id, sample, {-reach, reach});
    }
  }

  void See(TensorId id, size_t sample, TensorRange range) {
    by_sample_.Add(id, {sample, range});
    const TensorStats* seen = stats_.Find(id);
    stats_.Set(id, seen == nullptr
                       ? TensorStats{range, {}}
                       : TensorStats{{std::min(seen->range.min, range.min), std::max(seen->range.max, range.max)}, {}});
  }

  CalibrationNotes Examine() const { return ExamineCalibration(model_, stats_, by_sample_); }

  // Forgets what was seen of a tensor.
  void SeeAllAs(TensorId id, TensorRange range) {
    SampleRanges others;
    for (TensorId other : {in_, conv_, out_}) {
      for (const SampleRange& sample : by_sample_.Find(other))
        others.Add(other, other == id ? SampleRange{sample.sample, range} : sample);
    }
    by_sample_ = others;
    stats_.Set(id, {range, {}});
  }

  TensorId in_, conv_, out_;
  Model model_;
  ActivationStats stats_;
  SampleRanges by_sample_;
};

class ExamineScalingModelTest : public ExamineCalibrationTest {
 protected:
  ExamineScalingModelTest() : ExamineCalibrationTest(true) {}
};

TEST_F(ExamineCalibrationTest, FindsNothingWrongWithGoodData) {
  const CalibrationNotes notes = Examine();
  EXPECT_THAT(notes.samples, IsEmpty());
  EXPECT_THAT(notes.tensors, IsEmpty());
  EXPECT_THAT(notes.warnings, IsEmpty());
}

TEST_F(ExamineCalibrationTest, NamesTheSampleUnlikeTheOthers) {
  See(in_, 20, {-1, 6});
  See(conv_, 20, {-30, 2});
  const CalibrationNotes notes = Examine();
  ASSERT_EQ(notes.samples.size(), 1u);
  EXPECT_EQ(notes.samples[0].sample, 20u);
  EXPECT_EQ(notes.samples[0].tensor, model_.subgraphs[0].tensor(conv_).name);  // where it is worst
  EXPECT_THAT(notes.samples[0].reason, HasSubstr("reaches 30, 23.1 times"));
  EXPECT_THAT(notes.warnings, ElementsAre(AllOf(HasSubstr("1 sample is unlike the others"), HasSubstr("sample 20"))));
}

TEST_F(ExamineCalibrationTest, DoesNotJudgeAHandfulOfSamples) {
  SampleRanges few;
  for (size_t sample = 0; sample < 7; ++sample) few.Add(in_, {sample, {0, sample == 3 ? 100.0F : 1.0F}});
  EXPECT_THAT(ExamineCalibration(model_, stats_, few).samples, IsEmpty());
}

TEST_F(ExamineCalibrationTest, NamesEmptySamples) {
  See(in_, 20, {0, 0});
  const CalibrationNotes notes = Examine();
  ASSERT_EQ(notes.samples.size(), 1u);
  EXPECT_EQ(notes.samples[0].sample, 20u);
  EXPECT_EQ(notes.samples[0].reason, "every value is 0");
  EXPECT_THAT(notes.warnings, ElementsAre(HasSubstr("sample 20: every value is 0 of 'in'")));
}

TEST_F(ExamineCalibrationTest, NamesActivationsWithOneValue) {
  SeeAllAs(conv_, {0, 0});
  const CalibrationNotes notes = Examine();
  ASSERT_EQ(notes.tensors.size(), 1u);
  EXPECT_EQ(notes.tensors[0].reason, "every value is 0 on every sample");
  EXPECT_THAT(notes.warnings, ElementsAre(HasSubstr("1 activation has one value")));
}

TEST_F(ExamineCalibrationTest, WarnsOfPixelsThatNobodyScaled) {
  SeeAllAs(in_, {0, 255});
  EXPECT_THAT(Examine().warnings, ElementsAre(HasSubstr("'in' goes from 0 to 255")));
}

TEST_F(ExamineScalingModelTest, TakesPixelsForAModelThatScalesThem) {
  SeeAllAs(in_, {0, 255});
  EXPECT_THAT(Examine().warnings, IsEmpty());
}

TEST_F(ExamineCalibrationTest, WarnsWhenTheInputModelAlwaysGivesTheSame) {
  SeeAllAs(out_, {0, 1});
  EXPECT_THAT(Examine().warnings, ElementsAre(HasSubstr("spans exactly 0 to 1 on every calibration sample")));
}

}  // namespace
}  // namespace lathe
