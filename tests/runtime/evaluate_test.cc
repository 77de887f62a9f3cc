#include "runtime/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/loaded_model.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// out = x * factors, 2 values.
LoadedModel Times(std::vector<float> factors) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2}), y = builder.Activation("y", {1, 2});
  const TensorId constant = builder.Constant("factors", {2}, std::move(factors));
  builder.AddOp(OpKind::kMul, {x, constant}, {y}, MakeMulOptions());
  builder.Output(y);
  return Loaded(builder.Build());
}

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    std::vector<float> values;
    std::vector<int32_t> labels;
    for (int i = 0; i < 40; ++i) {
      values.insert(values.end(), {1.0f, i % 4 == 0 ? 2.0f : 0.5f});
      labels.push_back(i % 4 == 0 ? 1 : 0);
    }
    WriteData(values, labels);
    options_.metric = "top1";
  }

  void WriteData(const std::vector<float>& values, const std::vector<int32_t>& labels) {
    WriteNpz(folder_.path() + "/data.npz",
             {{"x.npy", Npy("<f4", absl::StrFormat("(%d, 2)", values.size() / 2), Bytes(values))},
              {"label.npy", Npy("<i4", absl::StrFormat("(%d,)", labels.size()), Bytes(labels))}});
  }

  absl::StatusOr<AccuracyReport> Run(const std::vector<const LoadedModel*>& models) {
    SampleOptions sample_options;
    sample_options.labels = SampleOptions::Labels::kRequired;
    auto samples = OpenSamples(models[0]->model, folder_.path() + "/data.npz", sample_options);
    if (!samples.ok()) return samples.status();
    std::vector<EvaluatedModel> evaluated;
    for (const LoadedModel* model : models) evaluated.push_back({model->model, model->bytes()});
    return Evaluate(evaluated, **samples, options_);
  }

  const TempDir folder_;
  EvaluateOptions options_;
  const LoadedModel good_ = Times({1, 1}), bad_ = Times({1, 0});
};

TEST_F(EvaluateTest, ScoresTwoModelsOnTheSameSamples) {
  const auto report = Run({&good_, &bad_});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->input, 1);
  EXPECT_EQ(*report->output, 0.75);
  EXPECT_EQ(report->samples, 40u);
  EXPECT_LT(*report->difference_high, 0);
}

TEST_F(EvaluateTest, GivesTheSameForAnyThreadCount) {
  options_.metric = "sqnr";
  const auto one = Run({&good_, &bad_});
  options_.threads = 3;
  const auto three = Run({&good_, &bad_});
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(*one->output, *three->output);
  EXPECT_EQ(*one->difference_low, *three->difference_low);
  EXPECT_EQ(one->input, 200);
}

TEST_F(EvaluateTest, RefusesOneModelWhereTheMetricComparesTwo) {
  options_.metric = "agreement";
  EXPECT_EQ(ReasonOf(Run({&good_}).status()), "METRIC_NEEDS_TWO");
}

TEST_F(EvaluateTest, NamesTheSampleOfABadLabel) {
  WriteData({1, 2, 3, 4, 5, 6}, {0, 1, 2});
  const auto report = Run({&good_});
  EXPECT_EQ(ReasonOf(report.status()), "LABELS_INVALID");
  EXPECT_THAT(std::string(report.status().message()), testing::AllOf(HasSubstr("sample 2"), HasSubstr("0 .. 1")));
}

TEST_F(EvaluateTest, NamesAnOutputThatIsNotFinite) {
  const LoadedModel broken = Times({1, INFINITY});
  const auto report = Run({&good_, &broken});
  EXPECT_EQ(ReasonOf(report.status()), "OUTPUT_NOT_FINITE");
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("'y'"));
}

TEST_F(EvaluateTest, WritesThePredictions) {
  options_.predictions_folder = folder_.path();
  ASSERT_TRUE(Run({&good_, &bad_}).ok());
  const std::string written = ReadBytes(folder_.path() + "/against_0_y.npy");
  EXPECT_THAT(written, HasSubstr("'shape': (40,2)"));
  ASSERT_EQ(written.size() % 64, size_t{40 * 2 * 8} % 64);
  double first[2];
  memcpy(first, written.data() + written.size() - 40 * 2 * 8, sizeof first);
  EXPECT_EQ(first[0], 1);
  EXPECT_EQ(first[1], 0);
}

}  // namespace
}  // namespace lathe
