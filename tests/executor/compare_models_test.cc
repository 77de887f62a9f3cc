// executor/compare_models.cc: causes that are put into small models on purpose, found on the real runtime.

#include "executor/compare_models.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "optimizer/model/model_reader.h"
#include "tests/executor/job_fixture.h"
#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

constexpr int32_t kInputs = 64, kUnits = 16;

std::vector<float> Uniform(size_t count, uint32_t seed, float low, float high) {
  std::vector<float> values;
  uint64_t state = seed * 2654435761U + 1;
  for (size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    values.push_back(low + (high - low) * static_cast<float>(state >> 40) * 0x1p-24F);
  }
  return values;
}

float Largest(const std::vector<float>& values) {
  float largest = 0;
  for (float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

template <typename T>
std::vector<uint8_t> Quantized(const std::vector<float>& values, double scale) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  constexpr double kHigh = sizeof(T) == 1 ? 127 : 1e15;
  for (size_t i = 0; i < values.size(); ++i) {
    const T level = static_cast<T>(std::clamp(std::nearbyint(double{values[i]} / scale), -kHigh, kHigh));
    std::memcpy(bytes.data() + i * sizeof(T), &level, sizeof(T));
  }
  return bytes;
}

// Two layers of 64 and 16 units, with what can be done wrong to the first one in the quantized file.
struct Network {
  std::vector<float> weights = Uniform(kInputs * kUnits, 1, -1, 1), bias = Uniform(kUnits, 2, -1, 1);
  std::vector<float> weights2 = Uniform(kUnits * kUnits, 3, -1, 1), bias2 = Uniform(kUnits, 4, -1, 1);
  bool wide = true;         // int16 activations
  double range = 24;        // of the first layer's output
  double bias_shift = 0;    // what its bias is off by
  double weight_limit = 0;  // largest weight that its scale holds; 0: the largest there is

  Model Float() const {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", {1, kInputs});
    const TensorId y = builder.Activation("first", {1, kUnits}), z = builder.Activation("second", {1, kUnits});
    builder.AddOp(OpKind::kFullyConnected,
                  {x, builder.Constant("w1", {kUnits, kInputs}, weights), builder.Constant("b1", {kUnits}, bias)}, {y},
                  MakeFullyConnectedOptions({}));
    builder.AddOp(OpKind::kFullyConnected,
                  {y, builder.Constant("w2", {kUnits, kUnits}, weights2), builder.Constant("b2", {kUnits}, bias2)}, {z},
                  MakeFullyConnectedOptions({}));
    builder.Output(z);
    return builder.Build();
  }

  Model Integer() const {
    ModelBuilder builder;
    const TensorType type = wide ? TensorType::kInt16 : TensorType::kInt8;
    const double levels = wide ? 32767 : 127;
    const TensorId x = builder.Input("x", {1, kInputs});
    const TensorId q = AddActivation(builder, "x_q", kInputs, type, 1 / levels);
    builder.AddOp(OpKind::kQuantize, {x}, {q});
    std::vector<float> shifted = bias;
    for (float& value : shifted) value += static_cast<float>(bias_shift);
    const TensorId y = AddActivation(builder, "first", kUnits, type, range / levels);
    const double limit = weight_limit > 0 ? weight_limit : double{Largest(weights)};
    AddLayer(builder, "1", {q, y}, kInputs, weights, shifted, {1 / levels, limit / 127});
    const TensorId z = AddActivation(builder, "second_q", kUnits, type, 200 / levels);
    AddLayer(builder, "2", {y, z}, kUnits, weights2, bias2, {range / levels, double{Largest(weights2)} / 127});
    const TensorId out = builder.Activation("second", {1, kUnits});
    builder.AddOp(OpKind::kDequantize, {z}, {out});
    builder.Output(out);
    return builder.Build();
  }

 private:
  static TensorId AddActivation(ModelBuilder& builder, const std::string& name, int32_t size, TensorType type,
                                double scale) {
    return builder.Activation(name, {1, size}, type, PerTensor(static_cast<float>(scale), 0));
  }

  struct Scales {
    double input, weights;
  };
  void AddLayer(ModelBuilder& builder, const std::string& name, std::pair<TensorId, TensorId> data, int32_t inputs,
                const std::vector<float>& w, const std::vector<float>& b, Scales scales) const {
    const double bias_scale = scales.input * scales.weights;
    const TensorId weight =
        builder.Constant("w" + name, {kUnits, inputs}, TensorType::kInt8, Quantized<int8_t>(w, scales.weights),
                         PerTensor(static_cast<float>(scales.weights), 0));
    const TensorId bias_id =
        builder.Constant("b" + name, {kUnits}, wide ? TensorType::kInt64 : TensorType::kInt32,
                         wide ? Quantized<int64_t>(b, bias_scale) : Quantized<int32_t>(b, bias_scale),
                         PerTensor(static_cast<float>(bias_scale), 0));
    builder.AddOp(OpKind::kFullyConnected, {data.first, weight, bias_id}, {data.second}, MakeFullyConnectedOptions({}),
                  4);
  }
};

class CompareModelsTest : public JobTest {
 protected:
  absl::StatusOr<v1::Comparison> Compare(const Model& a, const Model& b) {
    EXPECT_TRUE(WriteModelToFile(a, dir() + "/input/a").ok());
    EXPECT_TRUE(WriteModelToFile(b, dir() + "/input/b").ok());
    spec_.mutable_compare()->set_model("input/a");
    spec_.mutable_compare()->set_against("input/b");
    LATHE_ASSIGN_OR_RETURN(auto result, Run());
    return result.comparison();
  }

  v1::Comparison MustCompare(const Model& a, const Model& b) {
    auto comparison = Compare(a, b);
    EXPECT_TRUE(comparison.ok()) << comparison.status();
    return comparison.value_or(v1::Comparison());
  }

  // The largest cause of the whole file.
  std::string FirstCause(const Network& network) {
    const v1::Comparison comparison = MustCompare(network.Float(), network.Integer());
    if (comparison.ranking().empty()) return "none";
    return comparison.ranking(0).name() + ": " + comparison.ranking(0).cause();
  }
};

TEST_F(CompareModelsTest, FindsWeightRounding) {
  Network network;
  network.weights2 = Uniform(kUnits * kUnits, 3, -0.01f, 0.01f);
  network.weights2[0] = 0.01f;
  const v1::Comparison comparison = MustCompare(network.Float(), network.Integer());
  for (const v1::RankedCause& cause : comparison.ranking()) {
    if (cause.name() != "first") continue;
    EXPECT_EQ(cause.cause(), "weight rounding");
    break;
  }
}

TEST_F(CompareModelsTest, FindsAnOutlierWeight) {
  Network network;
  network.weights[5] = 40;
  network.range = 80;
  EXPECT_EQ(FirstCause(network), "first: weight range");
}

TEST_F(CompareModelsTest, FindsWeightsBeyondTheirScale) {
  Network network;
  network.weight_limit = 0.5;
  EXPECT_EQ(FirstCause(network), "first: weight range");
}

TEST_F(CompareModelsTest, FindsClipping) {
  Network network;
  network.range = 1.5;
  EXPECT_EQ(FirstCause(network), "first: activation clipping");
}

TEST_F(CompareModelsTest, FindsActivationRounding) {
  Network network;
  network.wide = false;
  network.range = 400;
  EXPECT_EQ(FirstCause(network), "first: activation rounding");
}

TEST_F(CompareModelsTest, FindsABias) {
  Network network;
  network.bias_shift = 0.5;
  EXPECT_EQ(FirstCause(network), "first: bias");
}

TEST_F(CompareModelsTest, TellsWhatAccumulatedFromWhatIsNew) {
  Network network;
  network.bias_shift = 0.5;
  const v1::Comparison comparison = MustCompare(network.Float(), network.Integer());
  ASSERT_EQ(comparison.operators_size(), 3);  // QUANTIZE and two layers
  const v1::OperatorComparison& second = comparison.operators(2);
  ASSERT_FALSE(second.causes().empty());
  EXPECT_EQ(second.causes(0).cause(), "accumulated");
  EXPECT_GT(second.own_sqnr_db(), second.sqnr_db() + 10);
  for (const v1::RankedCause& cause : comparison.ranking()) EXPECT_NE(cause.cause(), "accumulated");
}

TEST_F(CompareModelsTest, StepsAddUpToTheErrorOfTheOutput) {
  const Network network;
  const v1::Comparison comparison = MustCompare(network.Float(), network.Integer());
  ASSERT_EQ(comparison.operators_size(), 3);
  double noise = 0;
  for (const v1::OperatorCause& cause : comparison.operators(2).causes()) noise += std::pow(10, -cause.sqnr_db() / 10);
  EXPECT_NEAR(-10 * std::log10(noise), comparison.operators(2).sqnr_db(), 1.0);  // steps are nearly independent
  EXPECT_NEAR(comparison.operators(2).sqnr_db(), comparison.outputs(0).sqnr_db(), 1e-3);
}

TEST_F(CompareModelsTest, SaysThatFilesAreIdentical) {
  const Network network;
  const v1::Comparison comparison = MustCompare(network.Float(), network.Float());
  EXPECT_TRUE(comparison.identical());
  EXPECT_TRUE(comparison.ranking().empty());
  EXPECT_EQ(comparison.outputs(0).sqnr_db(), 200);
}

// What equalization does: a layer's units times factors, the next layer's weights divided by them. No error at all.
TEST_F(CompareModelsTest, EqualizedWeightsAreNoError) {
  const Network network;
  Network equalized = network;
  for (int32_t unit = 0; unit < kUnits; ++unit) {
    const float factor = std::ldexp(1.0f, unit % 5 - 2);
    for (int32_t i = 0; i < kInputs; ++i) equalized.weights[static_cast<size_t>(unit * kInputs + i)] *= factor;
    equalized.bias[static_cast<size_t>(unit)] *= factor;
    for (int32_t i = 0; i < kUnits; ++i) equalized.weights2[static_cast<size_t>(i * kUnits + unit)] /= factor;
  }
  const v1::Comparison comparison = MustCompare(network.Float(), equalized.Float());
  EXPECT_GT(comparison.outputs(0).sqnr_db(), 100);
  ASSERT_EQ(comparison.operators_size(), 2);
  EXPECT_GT(comparison.operators(0).sqnr_db(), 100);
  EXPECT_TRUE(comparison.ranking().empty());
}

TEST_F(CompareModelsTest, RefusesModelsOfOtherNetworks) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, kInputs});
  builder.Output(builder.FullyConnected(x, 3, 1));
  EXPECT_TRUE(Fails(Compare(Network().Float(), builder.Build()), absl::StatusCode::kInvalidArgument, "MODELS_DIFFER"));

  ModelBuilder other;
  const TensorId y = other.Activation("y", {1, kUnits});
  other.AddOp(OpKind::kSlice,
              {other.Input("x", {1, kInputs}), other.Constant("begin", {2}, std::vector<int32_t>{0, 0}),
               other.Constant("size", {2}, std::vector<int32_t>{1, kUnits})},
              {y});
  other.Output(y);
  EXPECT_TRUE(Fails(Compare(Network().Float(), other.Build()), absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                    "no operator"));
}

TEST_F(CompareModelsTest, ListsWhatHasNoCounterpart) {
  const Network network;
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, kInputs});
  const TensorId y = builder.Activation("first", {1, kUnits}), z = builder.Activation("tanh", {1, kUnits});
  builder.AddOp(
      OpKind::kFullyConnected,
      {x, builder.Constant("w1", {kUnits, kInputs}, network.weights), builder.Constant("b1", {kUnits}, network.bias)},
      {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kTanh, {y}, {z});
  builder.Output(z);
  const v1::Comparison comparison = MustCompare(network.Float(), builder.Build());
  ASSERT_EQ(comparison.unmatched_size(), 2);
  EXPECT_EQ(comparison.unmatched(0).file(), "a");
  EXPECT_EQ(comparison.unmatched(0).operator_().name(), "second");
  EXPECT_EQ(comparison.unmatched(1).file(), "b");
  EXPECT_EQ(comparison.unmatched(1).operator_().kind(), "TANH");
  EXPECT_EQ(comparison.operators_size(), 1);
}

TEST_F(CompareModelsTest, NamesTheDamagedFile) {
  PutFile("a", "no model at all");
  ASSERT_TRUE(WriteModelToFile(Network().Float(), dir() + "/input/b").ok());
  spec_.mutable_compare()->set_model("input/a");
  spec_.mutable_compare()->set_against("input/b");
  EXPECT_TRUE(Fails(Run(), absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "first model"));
  spec_.mutable_compare()->set_model("input/b");
  spec_.mutable_compare()->set_against("input/a");
  EXPECT_TRUE(Fails(Run(), absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "second model"));
}

TEST_F(CompareModelsTest, SameFiguresForAnyThreadCount) {
  Network network;
  network.wide = false;
  spec_.set_threads(1);
  const std::string one = MustCompare(network.Float(), network.Integer()).SerializeAsString();
  spec_.set_threads(4);
  EXPECT_EQ(MustCompare(network.Float(), network.Integer()).SerializeAsString(), one);
}

}  // namespace
}  // namespace lathe
