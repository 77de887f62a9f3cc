#include "runtime/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// out = x * factor.
LoadedModel Times(float factor, int32_t elements = 4) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, elements}), y = builder.Activation("y", {1, elements});
  const TensorId constant = builder.Constant("factor", {1}, std::vector<float>{factor});
  builder.AddOp(OpKind::kMul, {x, constant}, {y}, MakeMulOptions());
  builder.Output(y);
  return Loaded(builder.Build());
}

absl::StatusOr<std::vector<OutputError>> Compare(const LoadedModel& a, const LoadedModel& b, int threads = 1) {
  auto samples = MakeSyntheticSamples(a.model, {});
  CompareOptions options;
  options.threads = threads;
  return CompareOutputs(a.model, a.bytes(), b.model, b.bytes(), **samples, options);
}

TEST(CompareOutputsTest, MeasuresAKnownError) {
  const auto errors = Compare(Times(1), Times(1.125f));
  ASSERT_TRUE(errors.ok()) << errors.status();
  ASSERT_EQ(errors->size(), 1u);
  EXPECT_EQ((*errors)[0].name, "y");
  EXPECT_NEAR(*(*errors)[0].sqnr_db, 20 * std::log10(8), 1e-4);
}

TEST(CompareOutputsTest, GivesTwoHundredForEqualModelsAndNothingForSilence) {
  EXPECT_EQ((*Compare(Times(3), Times(3)))[0].sqnr_db, 200);
  EXPECT_EQ((*Compare(Times(0), Times(3)))[0].sqnr_db, std::nullopt);
}

TEST(CompareOutputsTest, NamesAnOutputThatIsNotFinite) {
  const auto errors = Compare(Times(1), Times(INFINITY));
  EXPECT_EQ(ReasonOf(errors.status()), "OUTPUT_NOT_FINITE");
  EXPECT_THAT(std::string(errors.status().message()),
              testing::AllOf(HasSubstr("'y'"), HasSubstr("optimized model"), HasSubstr("sample 0")));
}

TEST(CompareOutputsTest, RefusesModelsThatDoNotPairUp) {
  EXPECT_EQ(ReasonOf(Compare(Times(1), Times(1, 5)).status()), "MODELS_DIFFER");
}

TEST(CompareOutputsTest, GivesTheSameBitsForAnyThreadCount) {
  const LoadedModel a = Times(1, 999), b = Times(1.001f, 999);
  const double expected = *(*Compare(a, b, 1))[0].sqnr_db;
  for (int threads : {2, 3, 5}) EXPECT_EQ(*(*Compare(a, b, threads))[0].sqnr_db, expected);
}

// The samples are the float model's; MLPerf's int8 file gets them quantized and its outputs dequantized.
TEST(CompareOutputsTest, ComparesAFloatWithAnIntegerModel) {
  LATHE_SKIP_WITHOUT_SHARED();
  const LoadedModel a = LoadFile(SharedDir() + "/models/mlperf_tiny_vww.tflite");
  const LoadedModel b = LoadFile(SharedDir() + "/models/mlperf_tiny_vww_int8_reference.tflite");
  const auto errors = Compare(a, b, 2);
  ASSERT_TRUE(errors.ok()) << errors.status();
  EXPECT_GT(*(*errors)[0].sqnr_db, 20);
}

}  // namespace
}  // namespace lathe
