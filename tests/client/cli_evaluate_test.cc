// `lathe evaluate`, evaluation and gates of `lathe optimize`, with the real executor and real models.

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/client/run_command.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

class CliEvaluateTest : public testing::Test {
 protected:
  static std::string Data(const std::string& name) { return SharedDir() + "/data/" + name; }
  std::string Out() const { return folder_.path() + "/out.tflite"; }
  static constexpr char kScale[] = " --scale 0.00392156862745098 --mean 0";
  const TempDir folder_;
};

TEST_F(CliEvaluateTest, MeasuresOneModel) {
  LATHE_SKIP_WITHOUT_SHARED();
  const CommandResult result = RunLathe("evaluate " + Data("fashion/fm_mnv2.tflite") + " --data " +
                                        Data("fashion/test.npz") + " --metric top1 --json" + kScale);
  ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  const auto accuracy = result.Json()["accuracy"];
  EXPECT_EQ(accuracy["input"], 0.9);
  EXPECT_EQ(accuracy["samples"], 2000);
  EXPECT_EQ(accuracy["unit"], "fraction");
  EXPECT_EQ(accuracy["also"][0]["metric"], "top5");
  EXPECT_FALSE(accuracy.contains("output"));
}

TEST_F(CliEvaluateTest, ComparesTwoAndDrawsSamples) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string command = "evaluate " + Data("fashion/fm_mnv2.tflite") + " --against " +
                              Data("fashion/fm_mnv1relu.tflite") + " --data " + Data("fashion/test.npz") +
                              " --metric agreement --samples 100 --seed 3" + kScale;
  const auto accuracy = RunLathe(command + " --json").Json()["accuracy"];
  EXPECT_EQ(accuracy["samples"], 100);
  EXPECT_EQ(accuracy["input"], 1);
  EXPECT_LT(accuracy["difference_low"], accuracy["difference_high"]);
  EXPECT_EQ(RunLathe(command + " --json --threads 1").Json()["accuracy"], accuracy);
  EXPECT_THAT(RunLathe(command).out, HasSubstr("agreement with the input"));
}

TEST_F(CliEvaluateTest, KeepsPredictions) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string folder = folder_.path() + "/predictions";
  const CommandResult result =
      RunLathe("evaluate " + Data("detection/det_yolo.tflite") + " --data " + Data("detection/det_test.npz") +
               " --metric map --samples 20 --predictions " + folder + kScale);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(folder + "/model_answers.npy"));
  EXPECT_GT(std::filesystem::file_size(folder + "/model_0_grid.npy"), size_t{20 * 12 * 12 * 10 * 8});
}

TEST_F(CliEvaluateTest, RefusesWhatItCannotMeasure) {
  LATHE_SKIP_WITHOUT_SHARED();
  const std::string model = Data("fashion/fm_mnv2.tflite"), data = " --data " + Data("fashion/test.npz") + kScale;
  EXPECT_EQ(RunLathe("evaluate " + model + data + " --metric nonsense").exit_code, 2);
  const CommandResult alone = RunLathe("evaluate " + model + data + " --metric sqnr --json");
  EXPECT_EQ(alone.exit_code, 1);
  EXPECT_EQ(alone.Json()["error"]["reason"], "METRIC_NEEDS_TWO");
  const CommandResult unfit = RunLathe("evaluate " + model + data + " --metric map --json");
  EXPECT_EQ(unfit.Json()["error"]["reason"], "METRIC_UNFIT");
}

class CliGateTest : public CliEvaluateTest {
 protected:
  CommandResult Optimize(const std::string& more) {
    return RunLathe("optimize " + Data("fashion/fm_mnv2.tflite") + " -o " + Out() +
                    " --preset dynamic-range --no-benchmark" + kScale + " " + more);
  }
};

TEST_F(CliGateTest, ReportsAccuracyAndGates) {
  LATHE_SKIP_WITHOUT_SHARED();
  const CommandResult result = Optimize("--json --evaluation " + Data("fashion/test.npz") +
                                        " --metric top1 --gate 'accuracy.output >= input - 2 points'"
                                        " --gate 'output.bytes <= 0.9 * input'");
  ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  const auto report = result.Json();
  EXPECT_EQ(report["accuracy"]["input"], 0.9);
  EXPECT_TRUE(report["accuracy"].contains("verdict"));
  ASSERT_EQ(report["gates"].size(), 2u);
  EXPECT_EQ(report["gates"][0]["met"], true);
  EXPECT_NEAR(report["gates"][0]["threshold"], 0.88, 1e-9);
}

TEST_F(CliGateTest, FailsButKeepsTheCandidate) {
  LATHE_SKIP_WITHOUT_SHARED();
  const CommandResult result = Optimize("--json --gate 'output.bytes <= 1 kB'");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("GATE_NOT_MET"));
  EXPECT_EQ(result.Json()["gates"][0]["met"], false);
  EXPECT_EQ(result.Json()["output"]["bytes"], std::filesystem::file_size(Out()));
}

TEST_F(CliGateTest, RefusesGatesThatNothingDecides) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const char* gate : {"accuracy.output >= 0.5", "error.outputs[0].sqnr_db >= 5", "latency.output_ms < input",
                           "output.size < 3", "output.bytes < much"}) {
    const CommandResult result = Optimize(std::string("--gate '") + gate + "'");
    EXPECT_EQ(result.exit_code, 2) << gate << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists(Out()));
}

}  // namespace
}  // namespace lathe
