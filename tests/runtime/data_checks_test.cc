#include "runtime/data_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TensorInfo FirstInput(const Model& model) { return (*DescribeInputs(model))[0]; }

// A float input that QUANTIZE takes to int8 with scale 1/255 and zero point -128: 0..1.
Model Quantizing() {
  ModelBuilder builder;
  const TensorId in = builder.Input("x", {1, 4});
  const TensorId out = builder.Activation("q", {1, 4}, TensorType::kInt8, PerTensor(1.0f / 255, -128));
  builder.AddOp(OpKind::kQuantize, {in}, {out});
  builder.Output(out);
  return builder.Build();
}

Model Plain(OpKind kind) {
  ModelBuilder builder;
  const TensorId in = builder.Input("x", {1, 4});
  const TensorId out = builder.Activation("out", {1, 4});
  if (kind == OpKind::kMul) {
    const TensorId half = builder.Constant("half", {1}, std::vector<float>{0.5f});
    builder.AddOp(kind, {in, half}, {out}, MakeMulOptions());
  } else {
    builder.AddOp(kind, {in}, {out});
  }
  builder.Output(out);
  return builder.Build();
}

Sample MakeSample(size_t index, uint8_t value) {
  Sample sample;
  sample.index = index;
  sample.inputs = {{value, 0, 0}};
  return sample;
}

TEST(DataChecksTest, KnowsTheRangeFromQuantization) {
  const Model model = Quantizing();
  const auto range = FindExpectedRange(model, FirstInput(model));
  ASSERT_TRUE(range.has_value());
  EXPECT_NEAR(range->low, 0, 1e-6);
  EXPECT_NEAR(range->high, 1, 1e-6);
  EXPECT_THAT(range->source, HasSubstr("QUANTIZE"));
  const Model plain = Plain(OpKind::kRelu);
  EXPECT_FALSE(FindExpectedRange(plain, FirstInput(plain)).has_value());
  EXPECT_FALSE(ScalesItsInput(plain, FirstInput(plain)));
  const Model scaling = Plain(OpKind::kMul);
  EXPECT_TRUE(ScalesItsInput(scaling, FirstInput(scaling)));
}

std::vector<std::string> Warnings(const DataChecks::Column& column, const DataChecks::Extremes& extremes) {
  DataChecks checks({column}, std::nullopt, "", std::nullopt);
  for (uint8_t i = 0; i < 3; ++i) checks.Look(MakeSample(i, i), {extremes});
  return checks.Warnings();
}

TEST(DataChecksTest, SaysThatValuesAreOutOfTheRange) {
  const DataChecks::Column column{{}, "column 'x'", ExpectedRange{0, 1, "the quantization of the input"}, false};
  EXPECT_THAT(Warnings(column, {0, 255}),
              ElementsAre(HasSubstr("column 'x': values from 0 to 255, but the model's input holds 0 to 1 (the "
                                    "quantization of the input): what is beyond is clipped")));
  EXPECT_THAT(Warnings(column, {0.1, 0.11}), ElementsAre(HasSubstr("uses a small part")));
  EXPECT_THAT(Warnings(column, {0, 1.04}), IsEmpty());
  EXPECT_THAT(Warnings(column, {0, 0.5}), IsEmpty());
}

TEST(DataChecksTest, SaysThatPixelsAreNotScaled) {
  const DataChecks::Column column{{}, "column 'x'", std::nullopt, true};
  EXPECT_THAT(Warnings(column, {0, 255}), ElementsAre(HasSubstr("pixels up to 255, and nothing in the model scales")));
  EXPECT_THAT(Warnings(column, {-2, 3}), IsEmpty());
}

TEST(DataChecksTest, FindsConstantColumnsAndRepeatedSamples) {
  const DataChecks::Column column{{}, "column 'x'", std::nullopt, false};
  EXPECT_THAT(Warnings(column, {5, 5}), ElementsAre(HasSubstr("column 'x': holds nothing but 5 in all 3 samples")));
  DataChecks checks({column}, std::nullopt, "", std::nullopt);
  for (size_t i = 0; i < 4; ++i) checks.Look(MakeSample(i, i == 3 ? 1 : static_cast<uint8_t>(i)), {{0, 1}});
  EXPECT_THAT(checks.Warnings(), ElementsAre(HasSubstr("1 of 4 samples are the same as an earlier one")));
  checks.Look(MakeSample(3, 1), {{0, 1}});  // a second round over the data
  EXPECT_THAT(checks.Warnings(), ElementsAre(HasSubstr("1 of 4 samples")));
}

TEST(DataChecksTest, FindsLabelsOutsideTheClasses) {
  DataChecks checks({{{}, "column 'x'", std::nullopt, false}}, LabelColumn{"label", NpyType::kUint8, {}, 1, 1},
                    "column 'label'", 10);
  for (uint8_t i = 0; i < 12; ++i) {
    Sample sample = MakeSample(i, i);
    sample.label = {i};
    checks.Look(sample, {{0, 1}});
  }
  EXPECT_THAT(checks.Warnings(),
              ElementsAre("column 'label': 2 of 12 labels are outside the model's classes 0..9; the first is 10 at "
                          "sample 10"));
}

}  // namespace
}  // namespace lathe
