#include "executor/output_score.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

OutputError Error(std::optional<double> sqnr_db, std::optional<double> mean_removed_db) {
  OutputError error;
  error.sqnr_db = sqnr_db;
  error.sqnr_mean_removed_db = mean_removed_db;
  error.values = 10000;
  return error;
}

TEST(OutputScoreTest, WorstNoiseIsThatOfTheOutputWithTheLeastRatio) {
  EXPECT_NEAR(WorstNoise({Error(50, 30), Error(10, 20)}), 0.01, 1e-12);
  EXPECT_EQ(WorstNoise({Error(200, 200)}), 0);
  EXPECT_EQ(WorstNoise({Error(std::nullopt, std::nullopt)}), 0);
}

TEST(OutputScoreTest, NoiseDbUndoesNoise) {
  EXPECT_NEAR(NoiseDb(WorstNoise({Error(40, 33)})), 33, 1e-9);
  EXPECT_EQ(NoiseDb(0), 200);
}

TEST(OutputScoreTest, OutputsWithoutASignalDoNotCount) {
  const OutputScore score = ScoreOutputs({Error(30, 20), Error(std::nullopt, std::nullopt), Error(40, 10)});
  EXPECT_DOUBLE_EQ(score.mean_db, 35);
  EXPECT_DOUBLE_EQ(score.least_db, 30);
}

TEST(OutputScoreTest, AGainThatTheWorstOutputPaysForIsNone) {
  const OutputScore best = ScoreOutputs({Error(30, 30), Error(30, 30)});
  EXPECT_TRUE(IsBetter(ScoreOutputs({Error(31, 31), Error(30, 30)}), best));
  EXPECT_TRUE(IsBetter(ScoreOutputs({Error(34, 34), Error(29, 29)}), best));
  EXPECT_FALSE(IsBetter(ScoreOutputs({Error(34, 34), Error(28, 28)}), best));
  EXPECT_FALSE(IsBetter(best, best));
}

TEST(OutputScoreTest, AnOutputOfFewValuesDecidesLittle) {
  OutputError number = Error(20, 20);
  number.values = 5;
  const OutputScore score = ScoreOutputs({Error(30, 30), number});
  EXPECT_NEAR(score.mean_db, 29.54, 0.01);
  EXPECT_DOUBLE_EQ(score.least_db, 30);
  EXPECT_DOUBLE_EQ(ScoreOutputs({number}).least_db, 20);
}

// What is quantized to steps of 1/4 is off by 1/4 / sqrt(12) = 0.0722 on average.
TEST(OutputScoreTest, NearItsRoundingIsTwiceWhatTheStepsLeave) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4}), integer = builder.Activation("integer", {1, 4});
  const TensorId real = builder.Activation("real", {1, 4});
  builder.AddOp(OpKind::kQuantize, {x}, {integer});
  builder.AddOp(OpKind::kDequantize, {integer}, {real});
  builder.Output(real);
  Model model = builder.Build();
  OutputError error = Error(40, 40);
  error.rms_error = 0.0722;
  EXPECT_FALSE(IsNearItsRounding(model, {error})) << "not made of integers";
  Quantization& quantization = model.subgraphs[0].tensor(integer).quantization;
  quantization.scale = {0.25f};
  quantization.zero_point = {0};
  EXPECT_TRUE(IsNearItsRounding(model, {error}));
  error.rms_error = 2 * 0.0721;
  EXPECT_TRUE(IsNearItsRounding(model, {error}));
  error.rms_error = 2 * 0.0723;
  EXPECT_FALSE(IsNearItsRounding(model, {error}));
  model.subgraphs[0].outputs = {integer};
  EXPECT_FALSE(IsNearItsRounding(model, {error}));
  error.rms_error = 0.1;
  EXPECT_TRUE(IsNearItsRounding(model, {error}));
}

}  // namespace
}  // namespace lathe
