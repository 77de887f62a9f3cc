#include "executor/job.h"

#include <gmock/gmock.h>

#include "tests/executor/job_fixture.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

Model OneLayer() {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 64}), 32, 1));
  builder.AddSignature("serve");
  return builder.Build();
}

TEST_F(JobTest, PathsStayInsideTheJobDirectory) {
  PutModel(OneLayer());
  for (const char* path : {"../model", "/etc/passwd", "input/../../x", ""}) {
    spec_.mutable_inspect()->set_model(path);
    EXPECT_EQ(ReasonOf(Run().status()), "BAD_SPEC") << path;
  }
}

TEST_F(JobTest, SpecWithoutWorkIsRefused) { EXPECT_EQ(ReasonOf(Run().status()), "BAD_SPEC"); }

TEST_F(JobTest, TestHooksNeedPermission) {
  unsetenv("LATHE_TEST_HOOKS");
  spec_.set_test_hook("crash");
  EXPECT_EQ(ReasonOf(Run().status()), "TEST_HOOK_REFUSED");
}

TEST_F(JobTest, InspectSummarizes) {
  PutModel(OneLayer());
  spec_.mutable_inspect()->set_model("input/model");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const v1::ModelSummary& summary = result->inspection();
  EXPECT_EQ(summary.bytes(), std::filesystem::file_size(dir() + "/input/model"));
  EXPECT_EQ(summary.operator_count(), 1u);
  EXPECT_EQ(summary.operators(0).kind(), "FULLY_CONNECTED");
  EXPECT_EQ(summary.weights_bytes(), 4u * (64 * 32 + 32));
  EXPECT_FALSE(summary.quantized());
  EXPECT_EQ(summary.signatures(0).key(), "serve");
}

TEST_F(JobTest, DumpIsWrittenAsText) {
  PutModel(OneLayer());
  spec_.mutable_dump()->set_model("input/model");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(ReadFile(dir() + "/" + result->dump_path(), 1 << 20).value(), HasSubstr("FULLY_CONNECTED"));
}

TEST_F(JobTest, BenchmarkTimesOneModelOrTwo) {
  PutModel(OneLayer());
  PutFile("against", ReadFile(dir() + "/input/model", 1 << 20).value());
  spec_.mutable_benchmark()->set_model("input/model");
  const auto one = Run();
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_GT(one->report().latency().input_ms(), 0);
  EXPECT_FALSE(one->report().latency().has_output_ms());
  spec_.mutable_benchmark()->set_against("input/against");
  spec_.mutable_benchmark()->set_runs(12);
  const auto two = Run();
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->report().latency().output_runs(), 12u);
  EXPECT_TRUE(two->report().latency().has_output_p90_ms());
  EXPECT_FALSE(two->report().latency().ranking().empty());
  EXPECT_GT(two->report().memory().input().arena_bytes(), 0u);
  EXPECT_FALSE(two->report().has_profile());
}

TEST_F(JobTest, BenchmarkProfilesWhenAsked) {
  PutModel(OneLayer());
  spec_.mutable_benchmark()->set_model("input/model");
  spec_.mutable_benchmark()->set_profile(true);
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const v1::Report& report = result->report();
  EXPECT_EQ(report.profile().input().operators(), 1u);
  EXPECT_FALSE(report.profile().has_output());
  ASSERT_EQ(report.operators_size(), 1);
  EXPECT_TRUE(report.operators(0).has_ms());
}

TEST_F(JobTest, BenchmarkRunsOnGivenData) {
  PutModel(OneLayer());
  PutFile("data.npz", "no archive");
  spec_.mutable_benchmark()->set_model("input/model");
  spec_.mutable_benchmark()->set_data("input/data.npz");
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(JobTest, PngIsNotAModel) {
  PutFile("model", "\x89PNG\r\n\x1a\n and so on");
  for (int kind = 0; kind < 3; ++kind) {
    if (kind == 0) SetPreset("int8");
    if (kind == 1) spec_.mutable_inspect()->set_model("input/model");
    if (kind == 2) spec_.mutable_dump()->set_model("input/model");
    const absl::Status status = Run().status();
    EXPECT_EQ(ReasonOf(status), "MODEL_CORRUPT");
    EXPECT_THAT(std::string(status.message()), HasSubstr("PNG"));
  }
}

}  // namespace
}  // namespace lathe
