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
  const auto ranges = Calibrate(small.model, {small.in, small.relu, small.sum, small.out}, *samples, Options());
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  EXPECT_EQ(*ranges->Find(small.in), (TensorRange{-3, 5}));
  EXPECT_EQ(*ranges->Find(small.relu), (TensorRange{0, 5}));
  EXPECT_EQ(*ranges->Find(small.sum), (TensorRange{-3, 10}));
  EXPECT_EQ(*ranges->Find(small.out), (TensorRange{-10, 3}));
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/calibrate.tflite"));
}

TEST_F(CalibrateTest, LooksOnlyAtWhatItWasAsked) {
  const Small small;
  const auto samples = Data(small.model, "(1, 4)", {-1, 0, 2, 1});
  const auto ranges = Calibrate(small.model, {small.relu}, *samples, Options());
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  EXPECT_EQ(ranges->Find(small.sum), nullptr);
  EXPECT_EQ(ranges->Find(small.out), nullptr);
}

TEST_F(CalibrateTest, NamesATensorThatIsNotFinite) {
  const Small small;
  const auto samples = Data(small.model, "(2, 4)", {-1, 0, 2, 1, 3e38f, 0, 0, 0});
  const auto ranges = Calibrate(small.model, {small.relu, small.sum}, *samples, Options());
  EXPECT_EQ(ReasonOf(ranges.status()), "ACTIVATION_NOT_FINITE");
  EXPECT_THAT(std::string(ranges.status().message()), testing::AllOf(HasSubstr("'sum'"), HasSubstr("sample 1")));
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
    auto ranges = Calibrate(model, all, **samples, options);
    EXPECT_TRUE(ranges.ok()) << ranges.status();
    return *std::move(ranges);
  };
  uint64_t once = 0, in_groups = 0;
  const RangeTable expected = run(1, uint64_t{1} << 30, &once), parallel = run(3, uint64_t{1} << 30, &once),
                   grouped = run(2, 1, &in_groups);
  EXPECT_EQ(once, 16u);
  EXPECT_GT(in_groups, 16u);
  size_t found = 0;
  for (TensorId id : all) {
    const TensorRange* range = expected.Find(id);
    ASSERT_EQ(range == nullptr, parallel.Find(id) == nullptr);
    ASSERT_EQ(range == nullptr, grouped.Find(id) == nullptr);
    if (range == nullptr) continue;
    ++found;
    EXPECT_EQ(*range, *parallel.Find(id));
    EXPECT_EQ(*range, *grouped.Find(id));
  }
  EXPECT_EQ(found, 5u);  // the input and four convolutions, no constant
}

}  // namespace
}  // namespace lathe
