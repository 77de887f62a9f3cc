#include "runtime/operator_errors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "optimizer/model/model_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

constexpr int32_t kValues = 1000;
constexpr double kScale = 0.01;  // int8 around 0: -1.28 to 1.27

Model Reference() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, kValues}), y = builder.Activation("y", {1, kValues});
  builder.AddOp(OpKind::kTanh, {x}, {y});
  builder.Output(y);
  return builder.Build();
}

Model Candidate() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, kValues});
  const TensorId q = builder.Activation("q", {1, kValues}, TensorType::kInt8, PerTensor(static_cast<float>(kScale), 0));
  const TensorId f = builder.Activation("f", {1, kValues}), y = builder.Activation("y", {1, kValues});
  builder.AddOp(OpKind::kQuantize, {x}, {q});
  builder.AddOp(OpKind::kDequantize, {q}, {f});
  builder.AddOp(OpKind::kTanh, {f}, {y});
  builder.Output(y);
  return builder.Build();
}

// TANH alone: what a probe of it is.
Model Probe() { return Reference(); }

class OperatorErrorsTest : public testing::Test {
 protected:
  OperatorErrorsTest() {
    SampleOptions options;
    options.input_high = 2;
    options.sample_limit = 3;
    samples_ = *MakeSyntheticSamples(reference_, options);
    measurement_.scratch_dir = folder_.path();
  }

  std::vector<OperatorErrors> Measure(const std::vector<MeasuredOperator>& operators, const Model& probe) {
    auto errors = MeasureOperatorErrors(reference_, Candidate(), probe, operators, *samples_, measurement_);
    EXPECT_TRUE(errors.ok()) << errors.status();
    return errors.ok() ? *errors : std::vector<OperatorErrors>(operators.size());
  }

  // Every input value of every sample.
  std::vector<double> Inputs() {
    std::vector<double> values;
    EXPECT_TRUE(samples_->Rewind().ok());
    Sample sample;
    while (*samples_->Next(&sample)) {
      for (int32_t i = 0; i < kValues; ++i) {
        float value;
        std::memcpy(&value, sample.inputs[0].data() + static_cast<size_t>(i) * sizeof(value), sizeof(value));
        values.push_back(double{value});
      }
    }
    return values;
  }

  const TempDir folder_;
  const Model reference_ = Reference();
  std::unique_ptr<SampleSource> samples_;
  OperatorErrorOptions measurement_;
};

TEST_F(OperatorErrorsTest, ConversionsClipAndRound) {
  MeasuredOperator quantize;
  quantize.reference_outputs = {TensorId(0)};
  quantize.candidate_outputs = {TensorId(1)};
  quantize.candidate_inputs = {TensorId(0)};
  quantize.conversion = true;
  ModelBuilder none;
  const OperatorErrors errors = Measure({quantize}, none.BuildUnverified())[0];
  double clipping = 0, rounding = 0, signal = 0;
  for (double x : Inputs()) {
    const double held = std::min(x, 1.27);
    clipping += (held - x) * (held - x);
    rounding += std::pow(std::nearbyint(held / kScale) * kScale - held, 2);
    signal += x * x;
  }
  EXPECT_TRUE(errors.split);
  EXPECT_NEAR(errors.clipping / clipping, 1, 1e-4);
  EXPECT_NEAR(errors.rounding / rounding, 1, 1e-2);
  EXPECT_NEAR(errors.signal / signal, 1, 1e-6);
  EXPECT_EQ(errors.accumulated, 0);
  EXPECT_EQ(errors.elements, 3 * kValues);
  EXPECT_NEAR(errors.grid_high, 1.27, 1e-6);
}

// The operator itself is exact; its data are not.
TEST_F(OperatorErrorsTest, ExactOperatorsOnlyPassOnWhatAccumulated) {
  MeasuredOperator tanh;
  tanh.reference_outputs = {TensorId(1)};
  tanh.candidate_outputs = {TensorId(3)};
  tanh.candidate_inputs = {TensorId(2)};
  tanh.probe_inputs = {0};
  tanh.own = {0};
  const OperatorErrors errors = Measure({tanh}, Probe())[0];
  EXPECT_GT(errors.total, 0);
  EXPECT_NEAR(errors.accumulated / errors.total, 1, 1e-6);
  EXPECT_LT(errors.rounding, 1e-9 * errors.total);
  EXPECT_EQ(errors.weights[0], 0);
  EXPECT_EQ(errors.clipping, 0);
}

// Of a candidate whose values are in other units only the difference in the reference's units counts.
TEST_F(OperatorErrorsTest, FactorsAreTakenOff) {
  MeasuredOperator plain, scaled;
  plain.reference_outputs = scaled.reference_outputs = {TensorId(0)};
  plain.candidate_outputs = scaled.candidate_outputs = {TensorId(0)};
  plain.candidate_inputs = scaled.candidate_inputs = {TensorId(0)};
  plain.conversion = scaled.conversion = true;
  scaled.factors = {1, 2};
  ModelBuilder none;
  const auto errors = Measure({plain, scaled}, none.BuildUnverified());
  EXPECT_EQ(errors[0].total, 0);
  double expected = 0;
  const std::vector<double> inputs = Inputs();
  for (size_t i = 1; i < inputs.size(); i += 2) expected += inputs[i] * inputs[i] / 4;
  EXPECT_NEAR(errors[1].total / expected, 1, 1e-5);
}

TEST_F(OperatorErrorsTest, OtherSizesAreNotSplit) {
  MeasuredOperator tanh;
  tanh.reference_outputs = {TensorId(1)};
  tanh.candidate_outputs = {TensorId(3)};
  tanh.candidate_inputs = {TensorId(2)};
  tanh.probe_inputs = {0};
  tanh.own = {0};
  ModelBuilder smaller;
  const TensorId x = smaller.Input("x", {1, 10}), y = smaller.Activation("y", {1, 10});
  smaller.AddOp(OpKind::kTanh, {x}, {y});
  smaller.Output(y);
  const OperatorErrors errors = Measure({tanh}, smaller.Build())[0];
  EXPECT_FALSE(errors.split);
  EXPECT_GT(errors.total, 0);
}

TEST_F(OperatorErrorsTest, CanBeCancelled) {
  measurement_.cancel.Cancel();
  ModelBuilder none;
  const auto errors =
      MeasureOperatorErrors(reference_, Candidate(), none.BuildUnverified(), {}, *samples_, measurement_);
  EXPECT_EQ(errors.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lathe
