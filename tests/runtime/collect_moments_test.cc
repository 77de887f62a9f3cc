#include "runtime/collect_moments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "tests/runtime/loaded_model.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

class CollectMomentsTest : public ::testing::Test {
 protected:
  static std::unique_ptr<SampleSource> Synthetic(const Model& model) {
    SampleOptions options;
    options.input_low = -1;
    auto samples = MakeSyntheticSamples(model, options);
    EXPECT_TRUE(samples.ok()) << samples.status();
    return *std::move(samples);
  }
  CollectMomentsOptions Options(int threads = 1) const {
    CollectMomentsOptions options;
    options.threads = threads;
    options.scratch_dir = dir_.path();
    return options;
  }
  MomentTable Collect(const Model& model, const CollectMomentsOptions& options) const {
    const auto samples = Synthetic(model);
    auto moments = CollectMoments(model, FindMomentOperators(model), *samples, options);
    EXPECT_TRUE(moments.ok()) << moments.status();
    return *std::move(moments);
  }
  TempDir dir_;
};

// in [1,6,5,3] -> CONV_2D 3x3 stride 2 SAME -> DEPTHWISE_CONV_2D 3x3 VALID ... -> FULLY_CONNECTED.
struct Network {
  Network() {
    ModelBuilder builder;
    in = builder.Input("in", {1, 9, 8, 3});
    ConvOptions strided;
    strided.stride_h = strided.stride_w = 2;
    strided.activation = Activation::kRelu;
    conv = builder.Conv2d(in, 4, 3, 1, strided);
    ConvOptions dilated;
    dilated.dilation_h = dilated.dilation_w = 2;
    depthwise = builder.DepthwiseConv2d(conv, 3, 2, dilated);
    const TensorId flat = builder.Activation("flat", {1, 80});
    const TensorId shape = builder.Constant("shape", {2}, std::vector<int32_t>{1, 80});
    builder.AddOp(OpKind::kReshape, {depthwise, shape}, {flat}, MakeReshapeOptions({1, 80}));
    out = builder.FullyConnected(flat, 5, 3);
    builder.Output(out);
    model = builder.Build();
  }
  TensorId in, conv, depthwise, out;
  Model model;
};

std::vector<float> InputOf(const Sample& sample) {
  const auto* values = reinterpret_cast<const float*>(sample.inputs[0].data());
  return {values, values + sample.inputs[0].size() / sizeof(float)};
}

// All patches of the first convolution, straight from the samples: nothing of ours but the definition.
TEST_F(CollectMomentsTest, GivesTheMomentsOfTheRawPatches) {
  const Network network;
  const MomentTable moments = Collect(network.model, Options());
  ASSERT_EQ(moments.size(), 3u);
  const InputMoments& found = moments.at(OpId(0));
  EXPECT_EQ(found.k, 27);
  EXPECT_EQ(found.groups, 1);
  EXPECT_EQ(found.rows, 16u * 5 * 4);

  std::vector<double> mean(27), second(27 * 27);
  const auto samples = Synthetic(network.model);
  Sample sample;
  while (*samples->Next(&sample)) {
    const std::vector<float> data = InputOf(sample);
    for (int row = 0; row < 5; ++row) {
      for (int column = 0; column < 4; ++column) {
        std::vector<double> patch;
        for (int tap = 0; tap < 27; ++tap) {
          // Height 9: padding 1 before. Width 8: padding 0 before and 1 behind.
          const int y = row * 2 + tap / 9 - 1, x = column * 2 + tap / 3 % 3;
          const bool inside = y >= 0 && y < 9 && x < 8;
          patch.push_back(inside ? static_cast<double>(data[static_cast<size_t>((y * 8 + x) * 3 + tap % 3)]) : 0);
        }
        for (size_t i = 0; i < 27; ++i) {
          mean[i] += patch[i] / 320;
          for (size_t j = 0; j < 27; ++j) second[i * 27 + j] += patch[i] * patch[j] / 320;
        }
      }
    }
  }
  for (size_t i = 0; i < 27; ++i) EXPECT_NEAR(found.mean[i], mean[i], 1e-6);
  for (size_t i = 0; i < 27 * 27; ++i) EXPECT_NEAR(found.second[i], second[i], 1e-6);
}

// The depthwise convolution reads what the runtime computed for the first one; its mean output follows from the means.
TEST_F(CollectMomentsTest, TakesDepthwiseDataChannelByChannel) {
  const Network network;
  Model with_output = network.model;
  with_output.subgraphs[0].outputs = {network.conv, network.depthwise};
  const LoadedModel loaded = Loaded(with_output);
  auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), {});
  ASSERT_TRUE(interpreter.ok()) << interpreter.status();
  const InputMoments found = Collect(network.model, Options()).at(OpId(1));
  EXPECT_EQ(found.k, 9);
  ASSERT_EQ(found.groups, 4);
  ASSERT_EQ(found.second.size(), 4u * 81);

  const int outputs = 5 * 4;  // SAME: as the input, dilation 2, padding 2
  std::vector<double> mean(4 * 9), second(4 * 81);
  const auto samples = Synthetic(network.model);
  Sample sample;
  while (*samples->Next(&sample)) {
    ASSERT_TRUE((*interpreter)->SetInput(0, sample.inputs[0]).ok());
    ASSERT_TRUE((*interpreter)->Run().ok());
    const auto* data = reinterpret_cast<const float*>((*interpreter)->Output(0).data());
    const auto at = [&](int position, size_t tap, size_t channel) {
      const int y = position / 4 + static_cast<int>(tap) / 3 * 2 - 2,
                x = position % 4 + static_cast<int>(tap) % 3 * 2 - 2;
      if (y < 0 || y >= 5 || x < 0 || x >= 4) return 0.0;
      return static_cast<double>(data[static_cast<size_t>(y * 4 + x) * 4 + channel]);
    };
    for (size_t c = 0; c < 4; ++c) {
      for (int position = 0; position < outputs; ++position) {
        for (size_t i = 0; i < 9; ++i) {
          mean[c * 9 + i] += at(position, i, c) / (16 * outputs);
          for (size_t j = 0; j < 9; ++j) {
            second[c * 81 + i * 9 + j] += at(position, i, c) * at(position, j, c) / (16 * outputs);
          }
        }
      }
    }
  }
  for (size_t i = 0; i < mean.size(); ++i) EXPECT_NEAR(found.mean[i], mean[i], 1e-5);
  for (size_t i = 0; i < second.size(); ++i) EXPECT_NEAR(found.second[i], second[i], 1e-5);
}

TEST_F(CollectMomentsTest, GivesTheSameBitsForAnyThreadsAndMemory) {
  const Network network;
  const MomentTable expected = Collect(network.model, Options());
  for (const auto& [threads, memory] : {std::pair{2, uint64_t{1} << 30}, {8, uint64_t{1} << 30}, {2, uint64_t{1}}}) {
    CollectMomentsOptions options = Options(threads);
    options.memory_bytes = memory;
    uint64_t steps = 0;
    options.progress = [&steps](uint64_t, uint64_t total) { steps = total; };
    const MomentTable found = Collect(network.model, options);
    EXPECT_EQ(steps, memory == 1 ? 48u : 16u);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [op, moments] : expected) {
      EXPECT_EQ(found.at(op).mean, moments.mean);
      EXPECT_EQ(found.at(op).second, moments.second);
    }
  }
}

TEST_F(CollectMomentsTest, TakesOnlyAsManySamplesAndRowsAsAsked) {
  const Network network;
  CollectMomentsOptions options = Options();
  options.samples_max = 5;
  options.rows_max = 30;
  const MomentTable moments = Collect(network.model, options);
  EXPECT_EQ(moments.at(OpId(0)).rows, 30u);
  EXPECT_EQ(moments.at(OpId(3)).rows, 5u);
}

TEST_F(CollectMomentsTest, GivesMeansOnlyWhereAskedOrTooLarge) {
  const Network network;
  CollectMomentsOptions options = Options();
  options.second_k_max = 40;
  const MomentTable some = Collect(network.model, options);
  EXPECT_FALSE(some.at(OpId(0)).second.empty());
  EXPECT_TRUE(some.at(OpId(3)).second.empty());  // 80 inputs
  EXPECT_EQ(some.at(OpId(3)).mean.size(), 80u);
  options.means_only = true;
  EXPECT_TRUE(Collect(network.model, options).at(OpId(0)).second.empty());
}

// A model paired with itself: x and y are the same.
TEST_F(CollectMomentsTest, JoinsTheMomentsOfTwoModels) {
  const Network network;
  const MomentTable alone = Collect(network.model, Options());
  std::vector<std::pair<OpId, OpId>> pairs;
  for (OpId op : FindMomentOperators(network.model)) pairs.emplace_back(op, op);
  const auto samples = Synthetic(network.model);
  const auto joint = CollectJointMoments(network.model, network.model, pairs, *samples, Options(2));
  ASSERT_TRUE(joint.ok()) << joint.status();
  ASSERT_EQ(joint->size(), alone.size());
  for (const auto& [op, moments] : alone) {
    const JointMoments& found = joint->at(op);
    EXPECT_EQ(found.reference.mean, moments.mean);
    EXPECT_EQ(found.quantized.mean, moments.mean);
    EXPECT_EQ(found.quantized.second, moments.second);
    ASSERT_EQ(found.cross.size(), moments.second.size());
    for (size_t i = 0; i < found.cross.size(); ++i) EXPECT_FLOAT_EQ(found.cross[i], moments.second[i]);
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(CollectMomentsTest, NamesAnOperatorWhoseInputIsNotFinite) {
  ModelBuilder builder;
  const TensorId in = builder.Input("in", {1, 4});
  const TensorId sum = builder.Activation("sum", {1, 4});
  builder.AddOp(OpKind::kAdd, {in, in}, {sum}, MakeAddOptions());
  builder.Output(builder.FullyConnected(sum, 2, 1));
  const Model model = builder.Build();
  WriteNpz(dir_.path() + "/x.npz", {{"in.npy", Npy("<f4", "(1, 4)", Bytes<float>({1, 3e38f, 2, 1}))}});
  auto samples = OpenSamples(model, dir_.path() + "/x.npz", {});
  ASSERT_TRUE(samples.ok()) << samples.status();
  const auto moments = CollectMoments(model, FindMomentOperators(model), **samples, Options());
  EXPECT_EQ(ReasonOf(moments.status()), "ACTIVATION_NOT_FINITE");
  EXPECT_THAT(std::string(moments.status().message()), HasSubstr("operator 1 FULLY_CONNECTED"));
}

TEST_F(CollectMomentsTest, EndsWhenCancelled) {
  const Network network;
  const auto samples = Synthetic(network.model);
  const CollectMomentsOptions options = Options();
  options.cancel.Cancel();
  EXPECT_EQ(CollectMoments(network.model, {OpId(0)}, *samples, options).status().code(), absl::StatusCode::kCancelled);
}

TEST(FindMomentOperatorsTest, LeavesOutWhatHasNoConstantWeightsOrFits) {
  ModelBuilder builder;
  const TensorId in = builder.Input("in", {1, 4, 4, 2});
  const TensorId weights = builder.Input("weights", {3, 1, 1, 2});
  const TensorId out = builder.Activation("out", {1, 4, 4, 3});
  builder.AddOp(OpKind::kConv2d, {in, weights}, {out}, MakeConvOptions({}));
  const TensorId grouped_weights = builder.RandomConstant("grouped", {4, 1, 1, 1}, 1);
  const TensorId grouped = builder.Activation("grouped_out", {1, 4, 4, 4});
  builder.AddOp(OpKind::kConv2d, {in, grouped_weights}, {grouped}, MakeConvOptions({}));
  builder.Output(out);
  builder.Output(grouped);
  EXPECT_TRUE(FindMomentOperators(builder.Build()).empty());
}

}  // namespace
}  // namespace lathe
