// executor/quantization_choice.h and stage_search.h through whole jobs, with the runtime as the judge.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "absl/strings/str_join.h"
#include "optimizer/model/model_reader.h"
#include "tests/executor/job_fixture.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// Three convolutions with ReLU between; each hidden channel is scaled by 2^-4..2^4 and scaled back by its readers,
// which changes nothing in float.
Model UnevenChannels(uint32_t seed) {
  ModelBuilder builder;
  ConvOptions relu;
  relu.activation = Activation::kRelu;
  TensorId x = builder.Conv2d(builder.Input("image", {1, 12, 12, 3}), 16, 3, seed, relu);
  x = builder.Conv2d(x, 16, 3, seed + 1, relu);
  builder.Output(builder.Conv2d(x, 8, 1, seed + 2));
  Model model = builder.Build();
  std::mt19937 random(seed);
  Subgraph& graph = model.subgraphs[0];
  for (size_t layer = 0; layer + 1 < graph.ops.size(); ++layer) {
    std::vector<float> factors(16);
    for (float& factor : factors) factor = std::ldexp(1.0f, static_cast<int>(random() % 9) - 4);
    const auto rescale = [&](TensorId id, const auto& index, bool divide) {
      const absl::Span<const float> values = model.FloatData(graph.tensor(id));
      std::vector<float> scaled(values.begin(), values.end());
      for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= divide ? 1 / factors[index(i)] : factors[index(i)];
      const auto* bytes = reinterpret_cast<const uint8_t*>(scaled.data());
      model.buffers[graph.tensor(id).buffer.index()] =
          Buffer::Owned(std::vector<uint8_t>(bytes, bytes + scaled.size() * sizeof(float)));
    };
    const Op& writer = graph.ops[layer];
    const size_t row = static_cast<size_t>(graph.tensor(writer.inputs[1]).NumElements()) / 16;
    rescale(
        writer.inputs[1], [row](size_t i) { return i / row; }, false);
    rescale(
        writer.inputs[2], [](size_t i) { return i; }, false);
    rescale(
        graph.ops[layer + 1].inputs[1], [](size_t i) { return i % 16; }, true);
  }
  return model;
}

class QuantizationChoiceTest : public JobTest {
 protected:
  // `count` images of noise as calibration data.
  void PutSamples(size_t count) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(0, 1);
    std::vector<float> values(count * 12 * 12 * 3);
    for (float& value : values) value = uniform(random);
    WriteNpz(dir() + "/input/data.npz",
             {{"image.npy", Npy("<f4", absl::StrFormat("(%d, 12, 12, 3)", count), Bytes(values))}});
    spec_.mutable_optimize()->set_calibration("input/data.npz");
  }
  v1::Recipe& recipe() { return *spec_.mutable_optimize()->mutable_recipe(); }
  v1::Report MustRun() {
    const auto result = Run();
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->report() : v1::Report();
  }
  static const v1::StageReport* FindKept(const v1::Report& report, const std::string& stage) {
    for (const v1::StageReport& row : report.stages()) {
      if (row.stage() == stage && row.kept()) return &row;
    }
    return nullptr;
  }
};

TEST_F(QuantizationChoiceTest, UnevenChannelsAreEqualizedBecauseTheErrorFalls) {
  PutModel(UnevenChannels(3));
  PutSamples(64);
  SetPreset("int8");
  recipe().set_effort(v1::Recipe::FAST);
  const double without = MustRun().error().outputs(0).sqnr_db();
  recipe().set_effort(v1::Recipe::BALANCED);
  const v1::Report report = MustRun();
  EXPECT_GT(report.error().outputs(0).sqnr_db(), without + 6);
  const v1::StageReport* kept = FindKept(report, "equalization");
  ASSERT_NE(kept, nullptr);
  EXPECT_GT(kept->sqnr_after_db(), kept->sqnr_before_db());
  EXPECT_EQ(report.calibration().samples() + report.calibration().held_back(), 64u);
}

TEST_F(QuantizationChoiceTest, UnevenChannelsAreEqualizedWithoutData) {
  PutModel(UnevenChannels(3));
  SetPreset("dynamic-range");
  recipe().mutable_correct()->set_equalization(v1::Correct::OFF);
  const double without = MustRun().error().outputs(0).sqnr_db();
  recipe().mutable_correct()->clear_equalization();
  const v1::Report report = MustRun();
  EXPECT_GT(report.error().outputs(0).sqnr_db(), without + 3);
  EXPECT_NE(FindKept(report, "equalization"), nullptr);
}

TEST_F(QuantizationChoiceTest, WhatIsTriedNeverMakesTheDecidingErrorWorse) {
  for (const auto effort : {v1::Recipe::BALANCED, v1::Recipe::BEST}) {
    PutModel(UnevenChannels(5));
    PutSamples(48);
    SetPreset("int8");
    recipe().set_effort(effort);
    double best = -1000;
    int given_up = 0;
    const v1::Report report = MustRun();
    for (const v1::StageReport& stage : report.stages()) {
      if (!stage.has_sqnr_after_db()) continue;
      if (stage.reason() == "given up after 8 of 16 held-back samples") {
        EXPECT_LT(stage.sqnr_after_db(), stage.sqnr_before_db() - 1) << stage.stage() << ' ' << stage.setting();
        EXPECT_FALSE(stage.kept());
        ++given_up;
        continue;
      }
      best = std::max(best, stage.sqnr_before_db());
      EXPECT_DOUBLE_EQ(stage.sqnr_before_db(), best) << stage.stage() << ' ' << stage.setting();
      EXPECT_EQ(stage.kept(), stage.sqnr_after_db() > best + 0.05) << stage.stage() << ' ' << stage.setting();
      if (stage.kept()) best = stage.sqnr_after_db();
    }
    EXPECT_EQ(given_up > 0, effort == v1::Recipe::BALANCED);
  }
}

// One convolution of values between 0 and 1: what is left to win is the rounding of its output.
TEST_F(QuantizationChoiceTest, NothingIsTriedWhereTheOutputsAreAsGoodAsTheirIntegers) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Input("image", {1, 12, 12, 3}), 8, 1, 3));
  PutModel(builder.Build());
  PutSamples(64);
  SetPreset("int8");
  recipe().set_allow_larger(true);
  const v1::Report report = MustRun();
  ASSERT_EQ(report.stages_size(), 1);
  EXPECT_EQ(report.stages(0).stage(), "corrections");
  EXPECT_THAT(report.stages(0).reason(), HasSubstr("left out"));
  recipe().mutable_correct()->set_rounding(v1::Correct::BEST);
  EXPECT_GT(MustRun().stages_size(), 1) << "asked for";
  recipe().clear_correct();
  recipe().set_effort(v1::Recipe::BEST);
  EXPECT_GT(MustRun().stages_size(), 1);
}

TEST_F(QuantizationChoiceTest, SameBytesForAnyThreadCount) {
  std::vector<std::string> outputs;
  for (uint32_t threads : {1u, 2u, 8u}) {
    PutModel(UnevenChannels(7));
    PutSamples(48);
    SetPreset("int8");
    recipe().set_effort(v1::Recipe::BEST);
    spec_.set_threads(threads);
    MustRun();
    outputs.push_back(Output());
  }
  EXPECT_FALSE(outputs[0].empty());
  EXPECT_TRUE(outputs[0] == outputs[1] && outputs[1] == outputs[2]);
}

TEST_F(QuantizationChoiceTest, ARangeAlgorithmThatIsAskedForIsTaken) {
  PutModel(UnevenChannels(7));
  PutSamples(32);
  SetPreset("int8");
  recipe().mutable_quantize()->mutable_activations()->set_ranges(v1::Quantize::Activations::PERCENTILE);
  const v1::Report report = MustRun();
  const v1::StageReport* ranges = FindKept(report, "ranges");
  ASSERT_NE(ranges, nullptr);
  EXPECT_EQ(ranges->setting(), "percentile");
}

TEST_F(QuantizationChoiceTest, ReportsHowValuesLieInTheChosenRanges) {
  PutModel(UnevenChannels(7));
  PutSamples(32);
  SetPreset("int8");
  recipe().mutable_quantize()->mutable_activations()->set_ranges(v1::Quantize::Activations::PERCENTILE);
  const v1::Report report = MustRun();
  const auto& histograms = report.calibration().histograms();
  ASSERT_GT(histograms.size(), 0);
  EXPECT_LE(histograms.size(), 8);
  EXPECT_GT(histograms[0].clipped_share(), 0);
  EXPECT_LT(histograms[0].clipped_share(), 0.01);
  const absl::StatusOr<Model> output = ReadModel(MappedFile::Open(dir() + "/out/model.tflite").value());
  ASSERT_TRUE(output.ok()) << output.status();
  double before = 1;
  for (const v1::ClippingHistogram& found : histograms) {
    EXPECT_LE(found.clipped_share(), before) << found.name();
    before = found.clipped_share();
    EXPECT_EQ(found.counts_size(), 64);
    EXPECT_EQ(std::accumulate(found.counts().begin(), found.counts().end(), uint64_t{0}), found.values());
    EXPECT_FLOAT_EQ(static_cast<float>(found.chosen_max()),
                    static_cast<float>(found.scale() * (127 - found.zero_point())));
    // What is shown is the scale of a tensor of the file.
    EXPECT_TRUE(std::any_of(output->subgraphs[0].tensors.begin(), output->subgraphs[0].tensors.end(),
                            [&](const Tensor& tensor) {
                              return tensor.type == TensorType::kInt8 &&
                                     tensor.quantization.scale == std::vector{static_cast<float>(found.scale())} &&
                                     tensor.quantization.zero_point == std::vector<int64_t>{found.zero_point()};
                            }))
        << found.name();
  }
}

TEST_F(QuantizationChoiceTest, ReportsNoHistogramsWhereNothingWasCounted) {
  PutModel(UnevenChannels(7));
  PutSamples(32);
  for (const char* preset : {"int16x8", "dynamic-range", "float16"}) {
    SetPreset(preset);
    EXPECT_EQ(MustRun().calibration().histograms_size(), 0) << preset;
  }
  SetPreset("int8");
  recipe().mutable_quantize()->mutable_activations()->set_ranges(v1::Quantize::Activations::MIN_MAX);
  EXPECT_EQ(MustRun().calibration().histograms_size(), 0);
}

TEST_F(QuantizationChoiceTest, OperatorsFallBackForAGateToo) {
  PutModel(UnevenChannels(3));
  PutSamples(64);
  SetPreset("int8");
  const double plain = MustRun().error().outputs(0).sqnr_db();
  const auto gate = [&](double least_db) {
    v1::Gate& added = *spec_.mutable_optimize()->add_gates();
    added.set_metric("error.outputs[0].sqnr_db");
    added.set_operator_(v1::Gate::GREATER_OR_EQUAL);
    added.set_offset(least_db);
  };
  gate(plain + 4);
  const v1::Report report = MustRun();
  EXPECT_GE(report.error().outputs(0).sqnr_db(), plain + 4);
  ASSERT_EQ(report.gates_size(), 1);
  EXPECT_TRUE(report.gates(0).met());
  const v1::StageReport* kept = FindKept(report, "fallback");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->reason(), "reaches the gates");
  // Out of reach: the best that was found, and a gate that is missed.
  spec_.mutable_optimize()->clear_gates();
  gate(199);
  const v1::Report missed = MustRun();
  EXPECT_EQ(FindKept(missed, "fallback"), nullptr);
  EXPECT_FALSE(missed.gates(0).met());
  EXPECT_NEAR(missed.error().outputs(0).sqnr_db(), plain, 1e-9);
}

TEST_F(QuantizationChoiceTest, TooFewSamplesDecideNothing) {
  PutModel(UnevenChannels(3));
  PutSamples(15);
  SetPreset("int8");
  const v1::Report report = MustRun();
  EXPECT_EQ(report.stages_size(), 0);
  EXPECT_THAT(absl::StrJoin(report.warnings(), "\n"), HasSubstr("15 samples are too few"));
  recipe().set_min_sqnr_db(20);
  const absl::Status refused = Run().status();
  EXPECT_EQ(ReasonOf(refused), "NEEDS_SAMPLES") << refused;
}

}  // namespace
}  // namespace lathe
