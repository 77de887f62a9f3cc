#include "runtime/held_back.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// out = x * factor.
LoadedModel Times(float factor) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 64}), y = builder.Activation("y", {1, 64});
  const TensorId constant = builder.Constant("factor", {1}, std::vector<float>{factor});
  builder.AddOp(OpKind::kMul, {x, constant}, {y}, MakeMulOptions());
  builder.Output(y);
  return Loaded(builder.Build());
}

class HeldBackTest : public ::testing::Test {
 protected:
  HeldBackTest() : reference_(Times(1)), samples_(*MakeSyntheticSamples(reference_.model, {})) {}

  std::unique_ptr<HeldBack> Make(int threads, uint64_t outputs_bytes_max) {
    HeldBackOptions options;
    options.threads = threads;
    options.scratch_dir = dir_.path();
    options.outputs_bytes_max = outputs_bytes_max;
    auto held_back = HeldBack::Create(reference_.model, reference_.bytes(), *samples_, options);
    EXPECT_TRUE(held_back.ok()) << held_back.status();
    return *std::move(held_back);
  }

  TempDir dir_;
  LoadedModel reference_;
  std::unique_ptr<SampleSource> samples_;
};

// The samples are uniform in [0, 1): y has mean 1/2 and variance 1/12, an error of y/8 the power 1/3/64.
TEST_F(HeldBackTest, MeasuresCandidatesOverAndOver) {
  const auto held_back = Make(2, uint64_t{1} << 20);
  for (int round = 0; round < 2; ++round) {
    const auto errors = held_back->Measure(Times(1.125f).model);
    ASSERT_TRUE(errors.ok()) << errors.status();
    EXPECT_NEAR(*errors->errors[0].sqnr_db, 20 * std::log10(8), 1e-4);
    EXPECT_NEAR(*errors->errors[0].sqnr_mean_removed_db, 10 * std::log10(64.0 / 4), 0.5);
    EXPECT_NEAR(errors->errors[0].rms_error, std::sqrt(1.0 / 3 / 64), 0.01);
    EXPECT_EQ(errors->samples, samples_->size());
    EXPECT_EQ(held_back->Measure(Times(1).model)->errors[0].sqnr_db, 200);
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(HeldBackTest, TakesAnswersFromWhoeverRunsTheReference) {
  HeldBackOptions options;
  options.scratch_dir = dir_.path();
  const auto held_back = *HeldBack::CreateUnanswered(reference_.model, reference_.bytes(), *samples_, options);
  // Told wrong answers, it measures against them; those that it was not told it finds itself.
  const LoadedModel twice = Times(2);
  auto interpreter = *Interpreter::Create(twice.model, twice.bytes(), {});
  Sample sample;
  while (*samples_->Next(&sample)) {
    ASSERT_TRUE(interpreter->SetInput(0, sample.inputs[0]).ok());
    ASSERT_TRUE(interpreter->Run().ok());
    if (sample.index % 2 == 0) held_back->Answer(sample, *interpreter);
  }
  const auto same = held_back->Measure(Times(1).model), doubled = held_back->Measure(Times(2).model);
  // Half of the samples have the answer 2 x, half x: noise x^2 in one half each, signal 5 x^2.
  EXPECT_NEAR(*same->errors[0].sqnr_db, 10 * std::log10(5), 0.5);
  EXPECT_NEAR(*doubled->errors[0].sqnr_db, 10 * std::log10(5), 0.5);
}

TEST_F(HeldBackTest, GivesTheSameBitsForAnyThreadsAndMemory) {
  const Model candidate = Times(1.001f).model;
  const double expected = *Make(1, uint64_t{1} << 20)->Measure(candidate)->errors[0].sqnr_mean_removed_db;
  for (int threads : {1, 2, 8}) {
    for (uint64_t outputs_bytes_max : std::vector<uint64_t>{0, 1024, 1 << 20}) {
      const auto errors = Make(threads, outputs_bytes_max)->Measure(candidate);
      EXPECT_EQ(*errors->errors[0].sqnr_mean_removed_db, expected) << threads << " " << outputs_bytes_max;
    }
  }
}

// In two parts with the models loaded once, or given up after the first part: 16 synthetic samples, of which every
// second comes first.
TEST_F(HeldBackTest, GivesUpWhenToldTo) {
  const auto whole = Make(2, uint64_t{1} << 20)->Measure(Times(1.125f).model);
  for (int threads : {1, 2, 8}) {
    const auto held_back = Make(threads, uint64_t{1} << 20);
    std::vector<OutputError> shown;
    const auto stopped = held_back->Measure(Times(1.125f).model, [&](const std::vector<OutputError>& first) {
      shown = first;
      return false;
    });
    ASSERT_TRUE(stopped.ok()) << stopped.status();
    EXPECT_EQ(stopped->samples, 8u);
    EXPECT_EQ(shown[0].values, 8 * 64);
    EXPECT_EQ(stopped->errors[0].rms_error, shown[0].rms_error);
    const auto all = held_back->Measure(Times(1.125f).model, [](const auto&) { return true; });
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->samples, 16u);
    EXPECT_EQ(all->first[0].rms_error, shown[0].rms_error);
    EXPECT_EQ(all->errors[0].rms_error, whole->errors[0].rms_error) << "the parts sum up to the whole";
    EXPECT_EQ(all->bytes, whole->bytes);
  }
}

TEST_F(HeldBackTest, RunsTheSameBytesOnce) {
  const auto held_back = Make(1, uint64_t{1} << 20);
  const auto found = held_back->Measure(Times(1.125f).model);
  int asked = 0;
  const auto again = held_back->Measure(Times(1.125f).model, [&](const auto&) { return ++asked == 0; });
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(again->samples, 16u);
  EXPECT_EQ(again->errors[0].rms_error, found->errors[0].rms_error);
  EXPECT_EQ(held_back->Measure(Times(1.25f).model, [&](const auto&) { return ++asked == 0; })->samples, 8u);
}

TEST_F(HeldBackTest, RefusesACandidateThatDoesNotPairUp) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 5}), y = builder.Activation("y", {1, 5});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  EXPECT_EQ(ReasonOf(Make(1, 0)->Measure(builder.Build()).status()), "MODELS_DIFFER");
}

}  // namespace
}  // namespace lathe
