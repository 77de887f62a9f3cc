// executor/optimize_job.cc: the corridor from a model file to a verified artifact, measured by the runtime on random
// inputs.

#include <gmock/gmock.h>

#include "optimizer/model/model_reader.h"
#include "tests/executor/job_fixture.h"
#include "tests/support/model_builder.h"
#include "wire/report.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// Every kind that has an int8 rule, in one small network.
Model AllKinds(uint32_t seed) {
  ModelBuilder builder;
  ConvOptions relu6;
  relu6.activation = Activation::kRelu6;
  TensorId x = builder.Conv2d(builder.Input("image", {1, 16, 16, 4}), 16, 3, seed, relu6);
  x = builder.DepthwiseConv2d(x, 3, seed + 1);
  auto step = [&](OpKind kind, std::vector<TensorId> more, std::vector<int32_t> shape, OpOptions options = {}) {
    const TensorId y = builder.Activation(std::string(OpKindName(kind)), shape);
    std::vector<TensorId> inputs = {x};
    inputs.insert(inputs.end(), more.begin(), more.end());
    builder.AddOp(kind, inputs, {y}, std::move(options));
    x = y;
  };
  step(OpKind::kPrelu, {builder.RandomConstant("alpha", {1, 1, 16}, seed + 2, 0, 1)}, {1, 16, 16, 16});
  const TensorId branch = builder.Conv2d(x, 16, 1, seed + 3);
  step(OpKind::kAdd, {branch}, {1, 16, 16, 16}, MakeAddOptions());
  step(OpKind::kRelu, {}, {1, 16, 16, 16});
  step(OpKind::kPad, {builder.Constant("pads", {4, 2}, std::vector<int32_t>{0, 0, 1, 1, 1, 1, 0, 0})}, {1, 18, 18, 16});
  PoolOptions pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  step(OpKind::kMaxPool2d, {}, {1, 9, 9, 16}, MakePoolOptions(pool));
  pool.stride_h = pool.stride_w = 1;
  step(OpKind::kAveragePool2d, {}, {1, 9, 9, 16}, MakePoolOptions(pool));
  step(OpKind::kMinimum, {builder.Constant("limit", {1}, std::vector<float>{2.5f})}, {1, 9, 9, 16});
  step(OpKind::kDepthToSpace, {}, {1, 18, 18, 4}, MakeDepthToSpaceOptions(2));
  step(OpKind::kRelu6, {}, {1, 18, 18, 4});
  x = builder.Conv2d(x, 8, 3, seed + 4);
  step(OpKind::kMean, {builder.Constant("axes", {2}, std::vector<int32_t>{1, 2})}, {1, 8}, MakeReducerOptions(false));
  step(OpKind::kReshape, {builder.Constant("shape", {2}, std::vector<int32_t>{1, 8})}, {1, 8},
       MakeReshapeOptions({1, 8}));
  x = builder.FullyConnected(x, 24, seed + 5);
  builder.Output(x);
  step(OpKind::kSoftmax, {}, {1, 24}, MakeSoftmaxOptions(1));
  builder.Output(x);
  builder.AddSignature("serve");
  return builder.Build();
}

class OptimizeJobTest : public JobTest {
 protected:
  v1::Report MustRun() {
    const auto result = Run();
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->report() : v1::Report();
  }
};

// dB that a preset must reach on random models with 16 samples of one distribution. The bounds are set by what five
// such models gave, a few dB lower: they find a pass that breaks, not one that is a little worse.
struct Bound {
  const char* preset;
  double least_db;
};
class OptimizeJobBoundTest : public OptimizeJobTest, public testing::WithParamInterface<Bound> {};

TEST_P(OptimizeJobBoundTest, OutputsStayWithinTheBoundOnRandomModels) {
  for (uint32_t seed = 100; seed < 600; seed += 100) {
    PutModel(AllKinds(seed));
    SetPreset(GetParam().preset);
    const v1::Report report = MustRun();
    EXPECT_LT(report.output().bytes(), report.input().bytes());
    ASSERT_EQ(report.error().outputs_size(), 2);
    EXPECT_GE(report.error().outputs(0).sqnr_db(), GetParam().least_db) << "logits, seed " << seed;
    // SOFTMAX of logits this large magnifies their error.
    EXPECT_GE(report.error().outputs(1).sqnr_db(), GetParam().least_db - 10) << "probabilities, seed " << seed;
    EXPECT_TRUE(report.error().synthetic());
  }
}
INSTANTIATE_TEST_SUITE_P(Presets, OptimizeJobBoundTest,
                         testing::Values(Bound{"float16", 50}, Bound{"weight-only-int8", 30},
                                         Bound{"dynamic-range", 28}, Bound{"int8", 22}),
                         [](const auto& test) {
                           std::string name = test.param.preset;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(OptimizeJobTest, StrictInt8HasNoFloatOperatorInside) {
  PutModel(AllKinds(1));
  SetPreset("int8");
  spec_.mutable_optimize()->mutable_recipe()->mutable_quantize()->set_require_full_integer(true);
  const v1::Report report = MustRun();
  for (const v1::OperatorReport& row : report.operators()) EXPECT_EQ(row.precision(), "int8") << row.kind();
}

TEST_F(OptimizeJobTest, SameBytesForAnyThreadCount) {
  std::vector<std::string> outputs;
  for (uint32_t threads : {1u, 2u, 3u}) {
    PutModel(AllKinds(7));
    SetPreset("int8");
    spec_.set_threads(threads);
    MustRun();
    outputs.push_back(Output());
  }
  EXPECT_FALSE(outputs[0].empty());
  EXPECT_TRUE(outputs[0] == outputs[1] && outputs[1] == outputs[2]);
}

TEST_F(OptimizeJobTest, AlreadyQuantizedModelHasNothingToDo) {
  PutModel(AllKinds(7));
  for (const char* preset : {"dynamic-range", "weight-only-int8", "float16"}) {
    PutModel(AllKinds(7));
    SetPreset(preset);
    MustRun();
    PutFile("model", Output());
    const absl::Status status = Run().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << preset;
    EXPECT_EQ(ReasonOf(status), "NOTHING_TO_DO") << preset;
    EXPECT_THAT(std::string(status.message()), HasSubstr("quantized already"));
  }
}

TEST_F(OptimizeJobTest, Float16FilesBecomeInt8) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Conv2d(builder.Input("x", {1, 8, 8, 32}), 64, 3, 1), 32, 3, 2));
  PutModel(builder.Build());
  SetPreset("float16");
  MustRun();
  PutFile("model", Output());
  SetPreset("int8");
  const v1::Report report = MustRun();
  EXPECT_GT(report.plan(0).changed(), 0u);  // fold-constants
  EXPECT_LT(report.output().bytes(), report.input().bytes());
}

TEST_F(OptimizeJobTest, ModelThatWouldGrowIsRefused) {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 6, 6, 2});
  for (uint32_t i = 0; i < 4; ++i) x = builder.Conv2d(x, 2, 1, i);
  builder.Output(x);
  PutModel(builder.Build());
  SetPreset("int8");
  EXPECT_EQ(ReasonOf(Run().status()), "LARGER_THAN_INPUT");
}

TEST_F(OptimizeJobTest, ReportsWhatItUsedAndMeasured) {
  PutModel(AllKinds(7));
  SetPreset("int8");
  spec_.mutable_optimize()->set_benchmark(true);
  spec_.set_seed(5);
  const v1::Report report = MustRun();
  EXPECT_GT(report.input().zstd_bytes(), 0u);
  EXPECT_GT(report.latency().input_ms(), 0);
  EXPECT_FALSE(report.latency().ranking().empty());
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator does not say what it holds
  EXPECT_GT(report.memory().output().heap_bytes(), 0u);
#endif
  EXPECT_GT(report.profile().output().kernels_size(), 0);
  EXPECT_GT(report.size().input().gzip_bytes(), 0u);
  EXPECT_LT(report.size().output().weights_bytes(), report.size().input().weights_bytes());
  EXPECT_EQ(report.size().output().zstd_bytes(), report.output().zstd_bytes());
  EXPECT_GT(report.peak_rss_bytes(), uint64_t{1} << 20);
  EXPECT_EQ(report.provenance().seed(), 5u);
  EXPECT_EQ(report.provenance().runtime_version(), "2.3.0");
  EXPECT_EQ(report.provenance().recipe_sha256().size(), 64u);
  bool warned = false;
  for (const std::string& warning : report.warnings()) warned |= warning.find("synthetic") != std::string::npos;
  EXPECT_TRUE(warned) << "calibration on made-up samples must be said";
  for (const v1::OperatorReport& row : report.operators()) {
    EXPECT_EQ(row.precision() == "float32", !row.reason().empty()) << row.kind();
  }
}

TEST_F(OptimizeJobTest, UnknownPresetNamesTheKnown) {
  PutModel(AllKinds(7));
  SetPreset("int7");
  const absl::Status status = Run().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("dynamic-range"));
}

TEST_F(OptimizeJobTest, CancelStopsIt) {
  PutModel(AllKinds(7));
  SetPreset("int8");
  cancel_.Cancel();
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(OptimizeJobTest, NanWeightsAreNamed) {
  std::vector<float> values(64 * 32, 1);
  values[17] = std::nanf("");
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 64}), y = builder.Activation("y", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, builder.Constant("sick", {32, 64}, values), TensorId()}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(y);
  PutModel(builder.Build());
  SetPreset("dynamic-range");
  const absl::Status status = Run().status();
  EXPECT_EQ(ReasonOf(status), "WEIGHTS_NOT_FINITE");
  EXPECT_THAT(std::string(status.message()), HasSubstr("sick"));
}

}  // namespace
}  // namespace lathe
