#include "optimizer/passes/round_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "common/parallel.h"
#include "optimizer/passes/weight_rows.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using Algorithm = RoundWeightsSettings::Algorithm;

// Moments of `rows` random patches that are correlated and have a mean.
InputMoments RandomMoments(int64_t groups, int64_t k, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  InputMoments moments;
  moments.groups = groups;
  moments.k = k;
  moments.rows = 300;
  const auto size = static_cast<size_t>(k);
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<float> second(size * size), mean(size), x(size);
    for (uint64_t row = 0; row < moments.rows; ++row) {
      const float common = normal(random);
      for (float& value : x) value = std::max(0.0f, common + normal(random));
      for (size_t i = 0; i < size; ++i) {
        mean[i] += x[i] / 300;
        for (size_t j = 0; j < size; ++j) second[i * size + j] += x[i] * x[j] / 300;
      }
    }
    moments.second.insert(moments.second.end(), second.begin(), second.end());
    moments.mean.insert(moments.mean.end(), mean.begin(), mean.end());
  }
  return moments;
}

// A convolution, a depthwise convolution with multiplier 1 and a fully connected layer.
struct Network {
  Network() {
    ModelBuilder builder;
    const TensorId in = builder.Input("in", {1, 6, 6, 3});
    const TensorId depthwise = builder.DepthwiseConv2d(builder.Conv2d(in, 5, 3, 1), 3, 2);
    const TensorId flat = builder.Activation("flat", {1, 180});
    const TensorId shape = builder.Constant("shape", {2}, std::vector<int32_t>{1, 180});
    builder.AddOp(OpKind::kReshape, {depthwise, shape}, {flat}, MakeReshapeOptions({1, 180}));
    builder.Output(builder.FullyConnected(flat, 7, 3));
    model = builder.Build();
    int32_t index = 0;
    for (Op& op : model.subgraphs[0].ops) op.origin = index++;
    moments.emplace(OpId(0), RandomMoments(1, 27, 1));
    moments.emplace(OpId(1), RandomMoments(5, 9, 2));
    moments.emplace(OpId(3), RandomMoments(1, 180, 3));
  }
  // Mean squared error of all outputs of one operator, the formula in plain loops; `bias_corrected`: what is left after
  // the best bias.
  double Error(OpId id, const ChosenWeights& chosen, bool bias_corrected) const {
    const OpKind kind = model.subgraphs[0].ops[id.index()].kind;
    const WeightRows rows = *ReadWeightRows(model, model.subgraphs[0].ops[id.index()]);
    const InputMoments& its = moments.at(id);
    const auto k = static_cast<size_t>(rows.k);
    double total = 0;
    for (size_t c = 0; c < static_cast<size_t>(rows.channels); ++c) {
      std::vector<double> error(k);
      for (size_t i = 0; i < k; ++i) {
        const size_t at = kind == OpKind::kDepthwiseConv2d ? i * static_cast<size_t>(rows.channels) + c : c * k + i;
        error[i] = static_cast<double>(chosen.scales[c]) * chosen.levels[at] - rows.weights[c * k + i];
      }
      const size_t group = its.groups == 1 ? 0 : c;
      double mean = 0;
      for (size_t i = 0; i < k; ++i) {
        mean += error[i] * its.mean[group * k + i];
        for (size_t j = 0; j < k; ++j) total += error[i] * error[j] * its.second[(group * k + i) * k + j];
      }
      if (bias_corrected) total -= mean * mean;
    }
    return total;
  }
  WeightChoices Round(const RoundWeightsSettings& settings) const {
    auto choices = RoundWeights(model, moments, settings);
    EXPECT_TRUE(choices.ok()) << choices.status();
    return *std::move(choices);
  }
  Model model;
  MomentTable moments;
};

RoundWeightsSettings Settings(int bits, Algorithm algorithm, bool search) {
  RoundWeightsSettings settings;
  settings.bits = [bits](OpId) { return bits; };
  settings.algorithm = algorithm;
  settings.search_scales = search;
  return settings;
}

TEST(RoundWeightsTest, LowersTheErrorOfTheOutputs) {
  const Network network;
  for (const int bits : {4, 8}) {
    const WeightChoices nearest = network.Round(Settings(bits, Algorithm::kNearest, false));
    const WeightChoices descended = network.Round(Settings(bits, Algorithm::kCoordinateDescent, true));
    const WeightChoices gptq = network.Round(Settings(bits, Algorithm::kGptq, true));
    ASSERT_EQ(nearest.size(), 3u);
    for (const auto& [id, chosen] : nearest) {
      EXPECT_EQ(chosen.bits, bits);
      const double start = network.Error(id, chosen, true);
      EXPECT_LT(network.Error(id, descended.at(id), true), 0.95 * start);
      EXPECT_LT(network.Error(id, gptq.at(id), true), 0.95 * start);
    }
  }
}

TEST(RoundWeightsTest, RoundsToTheNearestOnTheFullRangeWhenAsked) {
  const Network network;
  const WeightChoices nearest = network.Round(Settings(8, Algorithm::kNearest, false));
  for (const auto& [id, chosen] : nearest) {
    const OpKind kind = network.model.subgraphs[0].ops[id.index()].kind;
    const WeightRows rows = *ReadWeightRows(network.model, network.model.subgraphs[0].ops[id.index()]);
    const std::vector<float> weights = ToTensorOrder(kind, rows.channels, rows.k, rows.weights);
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t c =
          kind == OpKind::kDepthwiseConv2d ? i % static_cast<size_t>(rows.channels) : i / static_cast<size_t>(rows.k);
      EXPECT_NEAR(weights[i] / chosen.scales[c], chosen.levels[i], 0.5001);
    }
  }
}

// The shift is what makes the mean output that of the float weights.
TEST(RoundWeightsTest, ShiftsTheBiasByTheMeanError) {
  const Network network;
  const WeightChoices choices = network.Round(Settings(4, Algorithm::kGptq, true));
  const WeightRows rows = *ReadWeightRows(network.model, network.model.subgraphs[0].ops[0]);
  const ChosenWeights& chosen = choices.at(OpId(0));
  ASSERT_EQ(chosen.bias_shift.size(), 5u);
  for (size_t c = 0; c < 5; ++c) {
    double expected = 0;
    for (size_t i = 0; i < 27; ++i) {
      const double error = static_cast<double>(chosen.scales[c]) * chosen.levels[c * 27 + i] - rows.weights[c * 27 + i];
      expected -= error * network.moments.at(OpId(0)).mean[i];
    }
    EXPECT_NEAR(chosen.bias_shift[c], expected, 1e-5);
  }
  RoundWeightsSettings plain = Settings(4, Algorithm::kGptq, true);
  plain.correct_bias = false;
  const WeightChoices uncorrected = network.Round(plain);
  EXPECT_TRUE(uncorrected.at(OpId(0)).bias_shift.empty());
}

TEST(RoundWeightsTest, LeavesOutWhatGetsNoBits) {
  const Network network;
  RoundWeightsSettings settings;
  settings.bits = [](OpId id) { return id == OpId(1) ? 8 : 0; };
  const WeightChoices choices = network.Round(settings);
  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices.begin()->first, OpId(1));
}

TEST(RoundWeightsTest, TakesBitsFromTheSettings) {
  const Network network;
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kFullInteger;
  recipe.quantize.weights.bits = 4;
  Rule rule;
  rule.selector.kinds = {"FULLY_CONNECTED"};
  rule.skip = true;
  recipe.rules.push_back(rule);
  const auto table = SettingsTable::Resolve(network.model, recipe);
  ASSERT_TRUE(table.ok()) << table.status();
  RoundWeightsSettings settings;
  settings.settings = &*table;
  const WeightChoices choices = network.Round(settings);
  EXPECT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices.at(OpId(0)).bits, 4);
  EXPECT_EQ(choices.at(OpId(1)).bits, 8);
}

// Too many inputs for second moments: the pass rounds to the nearest, and the bias takes up the mean of that error.
TEST(RoundWeightsTest, CorrectsTheBiasByMeansAlone) {
  Network network;
  network.moments.at(OpId(3)).second.clear();
  const WeightChoices choices = network.Round(Settings(8, Algorithm::kGptq, false));
  EXPECT_TRUE(choices.at(OpId(3)).scales.empty());
  EXPECT_TRUE(choices.at(OpId(3)).levels.empty());
  const WeightChoices nearest = network.Round(Settings(8, Algorithm::kNearest, false));
  for (size_t c = 0; c < 7; ++c) {
    EXPECT_NEAR(choices.at(OpId(3)).bias_shift[c], nearest.at(OpId(3)).bias_shift[c], 1e-5);
  }
}

TEST(RoundWeightsTest, SurvivesInputsThatAreAlwaysZero) {
  Network network;
  InputMoments& moments = network.moments.at(OpId(0));
  std::fill(moments.second.begin(), moments.second.end(), 0.0f);
  std::fill(moments.mean.begin(), moments.mean.end(), 0.0f);
  for (const Algorithm algorithm : {Algorithm::kGptq, Algorithm::kAdaptive}) {
    const WeightChoices choices = network.Round(Settings(4, algorithm, true));
    for (const float scale : choices.at(OpId(0)).scales) EXPECT_TRUE(std::isnormal(scale));
  }
}

TEST(RoundWeightsTest, GivesTheSameBitsForAnyThreads) {
  const Network network;
  const auto run = [&](int threads) {
    return WithThreads(threads, [&] {
      std::vector<int8_t> levels;
      for (const auto& [id, chosen] : network.Round(Settings(4, Algorithm::kGptq, true))) {
        levels.insert(levels.end(), chosen.levels.begin(), chosen.levels.end());
      }
      return levels;
    });
  };
  const std::vector<int8_t> one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(8), one);
}

// The quantized network gives this layer half of each input: twice the weights give the same output.
TEST(RoundWeightsTest, RefitsWeightsToChangedInputs) {
  const Network network;
  JointMomentTable joint;
  JointMoments& moments = joint[OpId(0)];
  moments.reference = moments.quantized = network.moments.at(OpId(0));
  moments.reference.second.clear();
  moments.cross = network.moments.at(OpId(0)).second;
  for (float& value : moments.cross) value /= 2;
  for (float& value : moments.quantized.second) value /= 4;
  for (float& value : moments.quantized.mean) value /= 2;
  const auto choices = RoundWeights(network.model, joint, 0, Settings(8, Algorithm::kNearest, false));
  ASSERT_TRUE(choices.ok()) << choices.status();
  const WeightRows rows = *ReadWeightRows(network.model, network.model.subgraphs[0].ops[0]);
  const ChosenWeights& chosen = choices->at(OpId(0));
  for (size_t i = 0; i < rows.weights.size(); ++i) {
    EXPECT_NEAR(chosen.scales[i / 27] * chosen.levels[i], 2 * rows.weights[i], 0.02);
  }
}

TEST(FindBiasShiftsTest, IsTheDifferenceOfMeanOutputs) {
  const Network network;
  Model quantized = network.model;
  Op& op = quantized.subgraphs[0].ops[0];
  Tensor weights = quantized.subgraphs[0].tensor(op.inputs[1]);
  weights.type = TensorType::kInt8;
  weights.quantization.scale = {0.5f};
  weights.quantization.zero_point = {0};
  weights.buffer = BufferId(quantized.buffers.size());
  quantized.buffers.push_back(Buffer::Owned(std::vector<uint8_t>(5 * 27, 1)));  // every weight is 0.5
  quantized.subgraphs[0].tensors.push_back(weights);
  op.inputs[1] = TensorId(quantized.subgraphs[0].tensors.size() - 1);

  JointMomentTable means;
  means[OpId(0)].reference = means[OpId(0)].quantized = network.moments.at(OpId(0));
  for (float& value : means[OpId(0)].quantized.mean) value *= 3;
  const auto shifts = FindBiasShifts(network.model, quantized, {{OpId(0), OpId(0)}}, means);
  const WeightRows rows = *ReadWeightRows(network.model, network.model.subgraphs[0].ops[0]);
  ASSERT_EQ(shifts.size(), 1u);
  for (size_t c = 0; c < 5; ++c) {
    double expected = 0;
    for (size_t i = 0; i < 27; ++i) {
      const double mean = network.moments.at(OpId(0)).mean[i];
      expected += rows.weights[c * 27 + i] * mean - 0.5 * 3 * mean;
    }
    EXPECT_NEAR(shifts.at(OpId(0))[c], expected, 1e-4);
  }
  WeightChoices choices;
  AddBiasShifts(shifts, choices);
  AddBiasShifts(shifts, choices);
  EXPECT_FLOAT_EQ(choices.at(OpId(0)).bias_shift[2], 2 * shifts.at(OpId(0))[2]);
}

}  // namespace
}  // namespace lathe
