// What `lathe` does without an executor or a server: usage, exit codes, the shape of --json.

#include <gmock/gmock.h>

#include "common/build_id.h"
#include "optimizer/recipe/validate.h"
#include "tests/client/run_command.h"

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Both forms of an error: exit code and reason agree, and stdout is empty without --json.
void ExpectError(const std::string& arguments, int exit_code, const std::string& reason, const std::string& text) {
  const CommandResult plain = RunLathe(arguments);
  EXPECT_EQ(plain.exit_code, exit_code) << arguments << "\n" << plain.err;
  EXPECT_EQ(plain.out, "") << arguments;
  EXPECT_THAT(plain.err, AllOf(StartsWith("lathe: "), HasSubstr(reason), HasSubstr(text))) << arguments;
  const CommandResult json = RunLathe(arguments + " --json");
  EXPECT_EQ(json.exit_code, exit_code) << arguments;
  const auto error = json.Json()["error"];
  EXPECT_EQ(error["reason"], reason) << arguments;
  EXPECT_TRUE(error["code"].is_string());
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(text)) << arguments;
}

TEST(CliTest, PrintsItsVersion) {
  const auto json = RunLathe("version --json").Json();
  EXPECT_EQ(json["version"], std::string(Version()));
  EXPECT_EQ(json["build_id"], std::string(BuildId()));
  EXPECT_NE(json["runtime_version"], "");
  EXPECT_THAT(RunLathe("version").out, HasSubstr(std::string(Version())));
}

TEST(CliTest, ListsPresetsAndPasses) {
  const auto json = RunLathe("passes --json").Json();
  EXPECT_EQ(json["presets"].size(), Presets().size());
  EXPECT_EQ(json["passes"].size(), Passes().size());
  EXPECT_EQ(json["presets"][0]["name"], Presets()[0].name);
  for (const PresetInfo& preset : Presets()) EXPECT_THAT(RunLathe("passes").out, HasSubstr(preset.name));
}

TEST(CliTest, CallsBadFlagsUsageErrors) {
  ExpectError("", 2, "USAGE", "subcommand");
  ExpectError("optimise model.tflite", 2, "USAGE", "");
  ExpectError("optimize", 2, "USAGE", "required");
  ExpectError("optimize m.tflite --preset int8", 2, "USAGE", "output");
  ExpectError("optimize m.tflite -o o.tflite", 2, "USAGE", "--preset");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --recipe r.yaml", 2, "USAGE", "--preset");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --mean 3", 2, "USAGE", "--scale");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --threads 0", 2, "USAGE", "--threads");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --seed x", 2, "USAGE", "--seed");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --input-range 1,0", 2, "USAGE", "LO,HI");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --io-type int4", 2, "USAGE", "uint8");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --io-type io_type_unspecified", 2, "USAGE", "--io-type");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --effort most", 2, "USAGE", "balanced");
  ExpectError("optimize m.tflite -o o.tflite --preset int8 --min-sqnr high", 2, "USAGE", "--min-sqnr");
  ExpectError("optimize m.tflite --preset int8 --dry-run --server localhost:1", 2, "USAGE", "--dry-run");
  ExpectError("benchmark m.tflite --runs 0", 2, "USAGE", "--runs");
  ExpectError("benchmark m.tflite --mean 1", 2, "USAGE", "--scale");
  ExpectError("benchmark m.tflite --input-range 1,0", 2, "USAGE", "LO,HI");
  ExpectError("jobs submit m.tflite --server localhost:1 --preset int8 --profile", 2, "USAGE", "--kind benchmark");
  ExpectError("jobs submit m.tflite --server localhost:1 --preset int8 --data d.npz", 2, "USAGE", "--kind benchmark");
  ExpectError("jobs", 2, "USAGE", "subcommand");
  ExpectError("jobs list --server localhost:1 --state done", 2, "USAGE", "succeeded");
  ExpectError("jobs get j-1", 2, "USAGE", "--server");
}

TEST(CliTest, HasNoFlagsThatItWouldIgnore) {
  for (const char* flag : {"--max-drop 1", "--max-size 1", "--max-latency 1"}) {
    ExpectError(std::string("optimize m.tflite -o o.tflite --preset int8 ") + flag, 2, "USAGE", "not expected");
  }
}

TEST(CliTest, RefusesMetricsAndGatesThatCannotBeMeasured) {
  const std::string command = "optimize m.tflite -o o.tflite --preset int8 ";
  ExpectError(command + "--metric top1", 2, "USAGE", "--evaluation");
  ExpectError(command + "--gate 'size < 1'", 2, "BAD_REQUEST", "is no number of report.json");
}

// Flags that mean nothing for the scheme are errors of the recipe's field, not silently without effect.
TEST(CliTest, RefusesFlagsThatTheSchemeDoesNotTake) {
  const std::string command = "optimize m.tflite -o o.tflite --preset ";
  ExpectError(command + "dynamic-range --io-type int8", 2, "BAD_REQUEST", "recipe.quantize.io_type");
  ExpectError(command + "int16x8 --io-type uint8", 2, "BAD_REQUEST", "INT16");
  ExpectError(command + "float16 --min-sqnr 30", 2, "BAD_REQUEST", "recipe.min_sqnr_db");
  ExpectError(command + "int8 --min-sqnr 0", 2, "BAD_REQUEST", "more than 0");
}

TEST(CliTest, NamesThePresetsThatItKnows) {
  ExpectError("optimize m.tflite -o o.tflite --preset int9", 2, "BAD_REQUEST", "weight-only-int8");
  ExpectError("optimize m.tflite -o o.tflite --preset prune", 2, "BAD_REQUEST", "prune");
  const auto error = RunLathe("optimize m.tflite -o o.tflite --preset int9 --json").Json()["error"];
  EXPECT_EQ(error["violations"][0]["field"], "recipe.preset");
}

TEST(CliTest, RefusesBadRecipesBeforeItOpensTheModel) {
  const TempDir folder;
  const std::string path = folder.path() + "/recipe.yaml";
  const std::string command = "optimize missing.tflite -o o.tflite --recipe " + path;
  ExpectError(command, 2, "RECIPE_INVALID", path);
  std::ofstream(path) << "presett: int8\n";
  ExpectError(command, 2, "RECIPE_INVALID", "presett");
  std::ofstream(path) << "preset: float16\nprune: {sparsity: 0.5}\ntarget: EDGE_TPU\n";
  ExpectError(command, 2, "BAD_REQUEST", "prune.sparsity");
  ExpectError(command, 2, "BAD_REQUEST", "target");
  std::ofstream(path) << "rules: [{selector: {kinds: [CONV2D]}, quantize: {scheme: DYNAMIC_RANGE}}]\n";
  ExpectError(command, 2, "BAD_REQUEST", "recipe.rules[0].selector.kinds[0]");
}

TEST(CliTest, NamesFilesThatItCannotUse) {
  const TempDir folder;
  const std::string out = folder.path() + "/o.tflite";
  ExpectError("optimize /nowhere/m.tflite --preset int8 -o " + out, 1, "NOT_FOUND", "/nowhere/m.tflite");
  ExpectError("optimize " + folder.path() + " --preset int8 -o " + out, 1, "NOT_A_FILE", folder.path());
  ExpectError("optimize m.tflite --preset int8 -o /nowhere/o.tflite", 1, "NOT_FOUND", "/nowhere");
  ExpectError("optimize m.tflite --preset int8 -o " + folder.path(), 1, "NOT_A_FILE", "-o");
  ExpectError("inspect /nowhere/m.tflite", 1, "NOT_FOUND", "/nowhere/m.tflite");
  ExpectError("benchmark /nowhere/m.tflite", 1, "NOT_FOUND", "/nowhere/m.tflite");
}

TEST(CliTest, ExitsWithThreeWhenTheServerIsAway) {
  // Port 1 of loopback: nothing listens there.
  const CommandResult flag = RunLathe("jobs list --json --server 127.0.0.1:1");
  EXPECT_EQ(flag.exit_code, 3);
  EXPECT_EQ(flag.Json()["error"]["reason"], "SERVER_UNREACHABLE");
  const CommandResult variable = RunLathe("artifacts list", "LATHE_SERVER=127.0.0.1:1");
  EXPECT_EQ(variable.exit_code, 3);
  EXPECT_THAT(variable.err, HasSubstr("127.0.0.1:1"));
}

TEST(CliTest, PrintsHelp) {
  EXPECT_EQ(RunLathe("--help").exit_code, 0);
  EXPECT_THAT(RunLathe("optimize --help").out, AllOf(HasSubstr("--calibration"), HasSubstr("LATHE_SERVER")));
}

// "No example of full integer quantization for an NPU": the help has one.
TEST(CliTest, HelpShowsHowToServeAnNpu) {
  EXPECT_THAT(RunLathe("optimize --help").out,
              AllOf(HasSubstr("For an NPU"), HasSubstr("--preset int8 --io-type int8 --calibration")));
}

}  // namespace
}  // namespace lathe
