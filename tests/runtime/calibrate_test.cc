#include "runtime/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/runtime/loaded_model.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// in [1,4] -> RELU -> "relu"; "sum" = in + relu; "out" = -sum; "table" constant.
struct Small {
  Small() {
    ModelBuilder builder;
    in = builder.Input("in", {1, 4});
    relu = builder.Activation("relu", {1, 4});
    sum = builder.Activation("sum", {1, 4});
    out = builder.Activation("out", {1, 4});
    builder.AddOp(OpKind::kRelu, {in}, {relu});
    builder.AddOp(OpKind::kAdd, {in, relu}, {sum}, MakeAddOptions());
    builder.AddOp(OpKind::kNeg, {sum}, {out});
    builder.Output(out);
    model = builder.Build();
  }
  TensorId in, relu, sum, out;
  Model model;
};

RangeTable RangesOf(const absl::StatusOr<Calibration>& calibration) {
  EXPECT_TRUE(calibration.ok()) << calibration.status();
  return calibration.ok() ? calibration->stats.Ranges() : RangeTable();
}

class CalibrateTest : public ::testing::Test {
 protected:
  std::unique_ptr<SampleSource> Data(const Model& model, const std::string& shape, const std::vector<float>& values) {
    WriteNpz(dir_.path() + "/x.npz", {{"in.npy", Npy("<f4", shape, Bytes(values))}});
    auto samples = OpenSamples(model, dir_.path() + "/x.npz", {});
    EXPECT_TRUE(samples.ok()) << samples.status();
    return *std::move(samples);
  }
  CalibrateOptions Options(int threads = 1) const {
    CalibrateOptions options;
    options.threads = threads;
    options.scratch_dir = dir_.path();
    return options;
  }
  TempDir dir_;
};

TEST_F(CalibrateTest, FindsTheRangesOfInputsActivationsAndOutputs) {
  const Small small;
  const auto samples = Data(small.model, "(2, 4)", {-1, 0, 2, 1, -3, 0, 0, 5});
  const RangeTable ranges =
      RangesOf(Calibrate(small.model, {small.in, small.relu, small.sum, small.out}, *samples, Options()));
  EXPECT_EQ(*ranges.Find(small.in), (TensorRange{-3, 5}));
  EXPECT_EQ(*ranges.Find(small.relu), (TensorRange{0, 5}));
  EXPECT_EQ(*ranges.Find(small.sum), (TensorRange{-3, 10}));
  EXPECT_EQ(*ranges.Find(small.out), (TensorRange{-10, 3}));
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/calibrate.tflite"));
}

TEST_F(CalibrateTest, LooksOnlyAtWhatItWasAsked) {
  const Small small;
  const auto samples = Data(small.model, "(1, 4)", {-1, 0, 2, 1});
  const RangeTable ranges = RangesOf(Calibrate(small.model, {small.relu}, *samples, Options()));
  EXPECT_EQ(ranges.Find(small.sum), nullptr);
  EXPECT_EQ(ranges.Find(small.out), nullptr);
}

// Written out by hand.
TEST_F(CalibrateTest, TellsChannelsAndSamplesApart) {
  const Small small;
  const auto samples = Data(small.model, "(3, 4)", {-1, 0, 2, 1, -3, 7, 0, 5, 0, 0, 9, 0});
  const auto calibration = Calibrate(small.model, {small.in, small.sum}, *samples, Options(2));
  ASSERT_TRUE(calibration.ok()) << calibration.status();
  EXPECT_EQ(calibration->stats.Find(small.in)->channels, (std::vector<TensorRange>{{-3, 0}, {0, 7}, {0, 9}, {0, 5}}));
  EXPECT_EQ(calibration->stats.Find(small.sum)->channels,
            (std::vector<TensorRange>{{-3, 0}, {0, 14}, {0, 18}, {0, 10}}));
  EXPECT_EQ(calibration->by_sample.Find(small.in), (std::vector<SampleRange>{{0, {-1, 2}}, {1, {-3, 7}}, {2, {0, 9}}}));
  CalibrateOptions few = Options();
  few.channels = false;
  few.by_sample_bytes_max = 2 * sizeof(SampleRange);
  const auto less = Calibrate(small.model, {small.in}, *samples, few);
  ASSERT_TRUE(less.ok()) << less.status();
  EXPECT_THAT(less->stats.Find(small.in)->channels, testing::IsEmpty());
  EXPECT_EQ(less->by_sample.Find(small.in).size(), 2u);
}

TEST_F(CalibrateTest, NamesATensorThatIsNotFinite) {
  const Small small;
  const auto samples = Data(small.model, "(2, 4)", {-1, 0, 2, 1, 3e38f, 0, 0, 0});
  const auto calibration = Calibrate(small.model, {small.relu, small.sum}, *samples, Options());
  EXPECT_EQ(ReasonOf(calibration.status()), "ACTIVATION_NOT_FINITE");
  EXPECT_THAT(std::string(calibration.status().message()), testing::AllOf(HasSubstr("'sum'"), HasSubstr("sample 1")));
}

TEST_F(CalibrateTest, EndsWhenCancelled) {
  const Small small;
  const auto samples = Data(small.model, "(1, 4)", {-1, 0, 2, 1});
  const CalibrateOptions options = Options();
  options.cancel.Cancel();
  EXPECT_EQ(Calibrate(small.model, {small.sum}, *samples, options).status().code(), absl::StatusCode::kCancelled);
}

// Threads, memory and groups decide how the work is done, never what comes out.
TEST_F(CalibrateTest, GivesTheSameBitsForAnyThreadsAndMemory) {
  ModelBuilder builder;
  TensorId last = builder.Input("in", {1, 8, 8, 3});
  for (uint32_t layer = 0; layer < 4; ++layer) last = builder.Conv2d(last, 8, 3, layer + 1);
  builder.Output(last);
  const Model model = builder.Build();
  std::vector<TensorId> all;
  for (size_t i = 0; i < model.subgraphs[0].tensors.size(); ++i) all.push_back(TensorId(i));
  const auto run = [&](int threads, uint64_t memory_bytes, uint64_t* steps) {
    auto samples = MakeSyntheticSamples(model, {});
    CalibrateOptions options = Options(threads);
    options.memory_bytes = memory_bytes;
    options.progress = [steps](uint64_t, uint64_t total) { *steps = total; };
    auto calibration = Calibrate(model, all, **samples, options);
    EXPECT_TRUE(calibration.ok()) << calibration.status();
    return *std::move(calibration);
  };
  uint64_t once = 0, in_groups = 0;
  const Calibration expected = run(1, uint64_t{1} << 30, &once), parallel = run(3, uint64_t{1} << 30, &once),
                    grouped = run(2, 1, &in_groups);
  EXPECT_EQ(once, 16u);
  EXPECT_GT(in_groups, 16u);
  size_t found = 0;
  for (TensorId id : all) {
    const TensorStats* stats = expected.stats.Find(id);
    if (stats != nullptr) ++found;
    for (const Calibration* other : {&parallel, &grouped}) {
      const TensorStats* others = other->stats.Find(id);
      ASSERT_EQ(stats == nullptr, others == nullptr);
      EXPECT_EQ(expected.by_sample.Find(id), other->by_sample.Find(id));
      if (stats == nullptr) continue;
      EXPECT_EQ(stats->range, others->range);
      EXPECT_EQ(stats->channels, others->channels);
      EXPECT_EQ(stats->channels.size(), static_cast<size_t>(model.subgraphs[0].tensor(id).shape.back()));
    }
  }
  EXPECT_EQ(found, 5u);  // the input and four convolutions, no constant
}

}  // namespace
}  // namespace lathe
