// `lathe optimize|benchmark|inspect|dump` on this machine, with the real executor and real models.

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "common/digest.h"
#include "tests/client/run_command.h"

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CliLocalTest : public testing::Test {
 protected:
  std::string Model() const { return SharedDir() + "/models/mlperf_tiny_resnet8_cifar10.tflite"; }
  std::string Out() const { return folder_.path() + "/out.tflite"; }
  const TempDir folder_;
};

TEST_F(CliLocalTest, OptimizesAndReports) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string report_dir = folder_.path() + "/report/deep";
  const CommandResult result =
      RunLathe("optimize " + Model() + " -o " + Out() + " --preset int8 --json --report " + report_dir);
  ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  const auto report = result.Json();
  EXPECT_EQ(report["output"]["bytes"], std::filesystem::file_size(Out()));
  EXPECT_LT(report["output"]["bytes"], report["input"]["bytes"]);
  EXPECT_EQ(report["output"]["sha256"], HexDigest(*Sha256File(Out())));
  EXPECT_EQ(report["error"]["synthetic"], true);
  EXPECT_GT(report["error"]["outputs"][0]["sqnr_db"], 5);
  EXPECT_GT(report["latency"]["input_ms"], 0);
  EXPECT_EQ(nlohmann::json::parse(ReadText(report_dir + "/report.json")), report);
}

TEST_F(CliLocalTest, PrintsTheTable) {
  LATHE_SKIP_WITHOUT_SHARED();
  const CommandResult result = RunLathe("optimize " + Model() + " -o " + Out() + " --preset dynamic-range");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("before"), HasSubstr("compressed (zstd)"), HasSubstr("latency, median"),
                                HasSubstr("dB"), HasSubstr("wrote " + Out())));
}

// A file that another program has quantized.
TEST_F(CliLocalTest, ComparesFilesAndRanksCauses) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string other = SharedDir() + "/models/mlperf_tiny_resnet8_cifar10_int8_reference.tflite";
  const CommandResult result = RunLathe("compare " + Model() + " " + other + " --input-range 0,255 --json");
  ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  const auto answer = result.Json();
  EXPECT_EQ(answer["identical"], false);
  EXPECT_EQ(answer["synthetic"], true);
  EXPECT_TRUE(answer["unmatched"].empty());
  EXPECT_GT(answer["operators"].size(), 14u);
  ASSERT_GT(answer["ranking"].size(), 3u);
  EXPECT_LE(answer["ranking"][0]["sqnr_db"], answer["ranking"][1]["sqnr_db"]);
  EXPECT_NE(answer["ranking"][0]["advice"], "");
  const CommandResult same = RunLathe("compare " + other + " " + other);
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_THAT(same.out, HasSubstr("identical"));
}

TEST_F(CliLocalTest, RefusesToCompareOtherNetworks) {
  LATHE_SKIP_WITHOUT_SHARED();
  const CommandResult result =
      RunLathe("compare " + Model() + " " + SharedDir() + "/models/mlperf_tiny_kws.tflite --json");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.Json()["error"]["reason"], "MODELS_DIFFER");
}

TEST_F(CliLocalTest, ReportsWhatEachOperatorAdds) {
  LATHE_SKIP_WITHOUT_SHARED();
  const auto report = RunLathe("optimize " + Model() + " -o " + Out() + " --preset int8 --json").Json();
  ASSERT_TRUE(report.contains("causes"));
  EXPECT_LE(report["causes"].size(), 5u);
  int measured = 0;
  for (const auto& op : report["operators"]) measured += op.contains("sqnr_db") ? 1 : 0;
  EXPECT_GT(measured, 14);
}

TEST_F(CliLocalTest, SkipsWhatNoBenchmarkSkips) {
  LATHE_SKIP_WITHOUT_SHARED();
  const auto report =
      RunLathe("optimize " + Model() + " -o " + Out() + " --preset float16 --no-benchmark --json").Json();
  EXPECT_FALSE(report.contains("latency"));
  EXPECT_FALSE(report["output"].contains("zstd_bytes"));
  EXPECT_FALSE(report.contains("causes"));
  EXPECT_TRUE(report.contains("error"));
}

TEST_F(CliLocalTest, LeavesTheOldOutputWhenItFails) {
  std::ofstream(folder_.path() + "/image.tflite") << "\x89PNG\r\n\x1a\n and so on";
  std::ofstream(Out()) << "old";
  const CommandResult result =
      RunLathe("optimize " + folder_.path() + "/image.tflite -o " + Out() + " --preset int8 --json");
  EXPECT_EQ(result.exit_code, 1);
  const auto error = result.Json()["error"];
  EXPECT_EQ(error["reason"], "MODEL_CORRUPT") << error;
  EXPECT_EQ(ReadText(Out()), "old");
}

TEST_F(CliLocalTest, RefusesToDoNothing) {
  LATHE_SKIP_WITHOUT_SHARED();
  ASSERT_EQ(RunLathe("optimize " + Model() + " -o " + Out() + " --preset int8 --no-benchmark").exit_code, 0);
  const CommandResult again = RunLathe("optimize " + Out() + " -o " + Out() + "2 --preset int8 --no-benchmark --json");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.Json()["error"]["reason"], "NOTHING_TO_DO");
  EXPECT_FALSE(std::filesystem::exists(Out() + "2"));
}

// "Can only chosen layers be quantized?" They can, and the dry run says which a recipe chooses.
TEST_F(CliLocalTest, DryRunListsWhatTheRulesTake) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string recipe = folder_.path() + "/recipe.yaml";
  std::ofstream(recipe) << "rules:\n"
                           "  - {selector: {kinds: [CONV_2D]}, quantize: {scheme: DYNAMIC_RANGE}}\n"
                           "  - {selector: {index: 0}, skip: true}\n";
  const auto report = RunLathe("optimize " + Model() + " --dry-run --json --recipe " + recipe).Json();
  std::map<int, int> taken;
  for (const auto& match : report["rule_matches"]) {
    ++taken[match["rule"].get<int>()];
    if (match["rule"] == 0) {
      EXPECT_EQ(match["kind"], "CONV_2D");
    }
  }
  const auto summary = RunLathe("inspect " + Model() + " --json").Json();
  for (const auto& op : summary["operators"]) {
    if (op["kind"] == "CONV_2D") {
      EXPECT_EQ(taken[0], op["count"]);
    }
  }
  EXPECT_EQ(taken[1], 1);
  EXPECT_FALSE(report.contains("output"));
  EXPECT_THAT(RunLathe("optimize " + Model() + " --dry-run --recipe " + recipe).out,
              AllOf(HasSubstr("rules[0]"), HasSubstr("CONV_2D"), HasSubstr("rules[1]")));
  std::ofstream(recipe) << "{preset: int8, rules: [{selector: {kinds: [LSTM]}, skip: true}]}";
  const auto error = RunLathe("optimize " + Model() + " --dry-run --json --recipe " + recipe).Json()["error"];
  EXPECT_EQ(error["reason"], "RULE_TAKES_NOTHING");
}

TEST_F(CliLocalTest, ErrorsNameTheDataAsTheUserDoes) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string data = folder_.path() + "/my samples.npz";
  std::ofstream(data) << "no archive";
  const auto error =
      RunLathe("optimize " + Model() + " -o " + Out() + " --preset int8 --json --calibration '" + data + "'").Json();
  EXPECT_THAT(error["error"]["message"].get<std::string>(), HasSubstr("my samples.npz"));
}

TEST_F(CliLocalTest, SaysWhatTargetsTakeAndWhatToDo) {
  LATHE_SKIP_WITHOUT_SHARED();
  EXPECT_EQ(RunLathe("inspect " + Model() + " --json").Json()["targets"].size(), 4u);
  const auto target = RunLathe("inspect " + Model() + " --target cpu --json").Json()["targets"][0];
  EXPECT_EQ(target["operator_table"].size(), target["operators"]);
  EXPECT_GT(target["macs"], 0);
  EXPECT_THAT(RunLathe("inspect " + Model() + " --target edge-tpu").out,
              HasSubstr("does not take the kind in float32"));
  EXPECT_EQ(RunLathe("inspect " + Model() + " --target npu").exit_code, 2);
  const auto answer = RunLathe("recommend " + Model() + " --json").Json();
  EXPECT_EQ(answer["recommendations"][0]["recipe"]["preset"], "dynamic-range");
  EXPECT_GT(answer["recommendations"][0]["predicted_bytes"], 0);
  EXPECT_THAT(RunLathe("recommend " + Model() + " --data unlabelled").out, HasSubstr("1. --preset int8"));
  EXPECT_EQ(RunLathe("recommend " + Model() + " --data much").exit_code, 2);
}

TEST_F(CliLocalTest, InspectsDumpsAndBenchmarks) {
  LATHE_SKIP_WITHOUT_SHARED();
  const auto summary = RunLathe("inspect " + Model() + " --json").Json();
  EXPECT_GT(summary["operator_count"], 0);
  EXPECT_EQ(summary["bytes"], std::filesystem::file_size(Model()));
  EXPECT_THAT(RunLathe("inspect " + Model()).out, HasSubstr("CONV_2D"));
  EXPECT_THAT(RunLathe("dump " + Model()).out, HasSubstr("CONV_2D"));
  EXPECT_THAT(RunLathe("dump --json " + Model()).Json()["dump"].get<std::string>(), HasSubstr("CONV_2D"));
  const auto benchmark = RunLathe("benchmark --json --runs 12 " + Model()).Json();
  EXPECT_EQ(benchmark["latency"]["input_runs"], 12);
  EXPECT_GT(benchmark["latency"]["input_ms"], 0);
  const auto both = RunLathe("benchmark --json --runs 12 " + Model() + " --against " + Model()).Json();
  EXPECT_GT(both["latency"]["output_ms"], 0);
}

TEST_F(CliLocalTest, CleansUpAfterCtrlC) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string temporary = folder_.path() + "/tmp";
  std::filesystem::create_directory(temporary);
  const CommandResult result =
      RunLathe("benchmark --json --runs 10000 " + SharedDir() + "/models/mobilenet_v2_1.0_224_random.tflite",
               "TMPDIR=" + temporary + " timeout --signal=INT 1");
  EXPECT_THAT(result.out, HasSubstr("CANCELLED")) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

}  // namespace
}  // namespace lathe
