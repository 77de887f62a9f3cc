// Empirical bias correction from end to end, by runtime/collect_moments.h and optimizer/passes/round_weights.h: it must
// lower the error on the data it was computed from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "optimizer/passes/full_integer_pass.h"
#include "optimizer/passes/round_weights.h"
#include "optimizer/passes/weight_rows.h"
#include "runtime/calibrate.h"
#include "runtime/collect_moments.h"
#include "runtime/compare.h"
#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

// Six convolutions with weights whose positive half is cut, so that rounding errors have a mean.
Model MakeNetwork() {
  ModelBuilder builder;
  TensorId last = builder.Input("in", {1, 12, 12, 3});
  ConvOptions relu;
  relu.activation = Activation::kRelu;
  for (uint32_t layer = 0; layer < 3; ++layer) {
    last = builder.Conv2d(last, 8, 3, 10 * layer + 1, relu);
    last = builder.DepthwiseConv2d(last, 3, 10 * layer + 2, relu);
  }
  builder.Output(builder.Conv2d(last, 4, 1, 77));
  Model model = builder.Build();
  int32_t index = 0;
  for (Op& op : model.subgraphs[0].ops) op.origin = index++;
  return model;
}

class BiasCorrectionTest : public ::testing::Test {
 protected:
  BiasCorrectionTest() : loaded_(Loaded(MakeNetwork())), samples_(Samples(0)), others_(Samples(1)) {}

  static std::unique_ptr<SampleSource> Samples(uint64_t seed) {
    SampleOptions options;
    options.seed = seed;
    auto samples = MakeSyntheticSamples(MakeNetwork(), options);
    EXPECT_TRUE(samples.ok()) << samples.status();
    return *std::move(samples);
  }
  Model Quantize(const WeightChoices& choices) {
    std::vector<TensorId> all;
    for (size_t i = 0; i < loaded_.model.subgraphs[0].tensors.size(); ++i) all.emplace_back(i);
    CalibrateOptions options;
    options.scratch_dir = dir_.path();
    auto calibration = Calibrate(loaded_.model, all, *samples_, options);
    EXPECT_TRUE(calibration.ok()) << calibration.status();
    const RangeTable ranges = calibration->stats.Ranges();
    QuantizeSettings settings;
    settings.scheme = Scheme::kFullInteger;
    settings.weights.bits = 4;
    PassContext context;
    context.ranges = &ranges;
    context.weights = &choices;
    Model model = loaded_.model;
    const auto change = RunPass(FullIntegerPass(settings), model, context);
    EXPECT_TRUE(change.ok()) << change.status();
    return model;
  }
  double Error(const Model& quantized, SampleSource& samples) {
    const LoadedModel candidate = Loaded(quantized);
    const auto errors = CompareOutputs(loaded_.model, loaded_.bytes(), candidate.model, candidate.bytes(), samples, {});
    EXPECT_TRUE(errors.ok()) << errors.status();
    return (*errors)[0].sqnr_db.value_or(0);
  }
  // Corrects the operators one after the other, each on the network as it is after the one before.
  void Correct(WeightChoices& choices) {
    CollectMomentsOptions options;
    options.means_only = true;
    options.scratch_dir = dir_.path();
    for (OpId op : FindMomentOperators(loaded_.model)) {
      const Model quantized = Quantize(choices);
      auto pairs = PairWeightOperators(loaded_.model, quantized);
      std::erase_if(pairs, [op](const auto& pair) { return pair.first != op; });
      ASSERT_EQ(pairs.size(), 1u);
      const auto means = CollectJointMoments(loaded_.model, quantized, pairs, *samples_, options);
      ASSERT_TRUE(means.ok()) << means.status();
      AddBiasShifts(FindBiasShifts(loaded_.model, quantized, pairs, *means), choices);
    }
  }

  TempDir dir_;
  LoadedModel loaded_;
  std::unique_ptr<SampleSource> samples_, others_;
};

TEST_F(BiasCorrectionTest, LowersTheErrorOnItsOwnSamplesAndOnOthers) {
  WeightChoices choices;
  const Model before = Quantize(choices);
  Correct(choices);
  const Model after = Quantize(choices);
  EXPECT_GT(Error(after, *samples_), Error(before, *samples_) + 0.5);
  EXPECT_GT(Error(after, *others_), Error(before, *others_) + 0.5);
}

// What is left of the means once they are corrected: nothing beyond half a step of the integer bias.
TEST_F(BiasCorrectionTest, LeavesNoMeanErrorInTheLastOperator) {
  WeightChoices choices;
  Correct(choices);
  const Model after = Quantize(choices);
  auto pairs = PairWeightOperators(loaded_.model, after);
  pairs.erase(pairs.begin(), pairs.end() - 1);
  CollectMomentsOptions options;
  options.means_only = true;
  options.scratch_dir = dir_.path();
  const auto means = CollectJointMoments(loaded_.model, after, pairs, *samples_, options);
  ASSERT_TRUE(means.ok()) << means.status();
  const auto shifts = FindBiasShifts(loaded_.model, after, pairs, *means);
  ASSERT_EQ(shifts.size(), 1u);
  const Op& op = after.subgraphs[0].ops[pairs[0].second.index()];
  const std::vector<float>& steps = after.subgraphs[0].tensor(op.inputs[2]).quantization.scale;
  for (size_t c = 0; c < steps.size(); ++c) EXPECT_LT(std::abs(shifts.begin()->second[c]), 0.51f * steps[c] + 1e-5f);
}

}  // namespace
}  // namespace lathe
