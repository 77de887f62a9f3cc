// What users of other tools complain about in quantization, as far as the command shows it: the real executor on small
// trained models.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/client/run_command.h"

namespace lathe {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class CliQuantizeTest : public testing::Test {
 protected:
  void SetUp() override { LATHE_SKIP_WITHOUT_SHARED(); }
  std::string Out() const { return folder_.path() + "/out.tflite"; }
  std::string RecipeFile(const std::string& text) const {
    std::ofstream(folder_.path() + "/recipe.yaml") << text;
    return " --recipe " + folder_.path() + "/recipe.yaml";
  }
  // Of the digit-sized images that the model was trained on.
  std::string Command(const std::string& flags) const {
    const std::string data = SharedDir() + "/data/fashion/";
    return "optimize " + data + "fm_mnv1relu.tflite -o " + Out() + " --calibration " + data +
           "calib.npz --scale 0.00392156862745098 --mean 0 " + flags;
  }
  Json Optimize(const std::string& flags) const {
    const CommandResult result = RunLathe(Command(flags + " --no-benchmark --json"));
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return result.Json();
  }
  const TempDir folder_;
};

std::vector<std::string> PrecisionsOf(const Json& report, const std::string& kind) {
  std::vector<std::string> precisions;
  for (const Json& op : report["operators"]) {
    if (op["kind"] == kind) precisions.push_back(op["precision"]);
  }
  return precisions;
}

double LeastSqnrDb(const Json& report) {
  double least = 1e9;
  for (const Json& output : report["error"]["outputs"]) {
    least = std::min(least, output["sqnr_mean_removed_db"].get<double>());
  }
  return least;
}

// "No example of static quantization for an NPU": the command of the help makes a file without a float tensor.
TEST_F(CliQuantizeTest, MakesFilesForTargetsThatTakeIntegersOnly) {
  for (const char* type : {"int8", "uint8"}) {
    Optimize(std::string("--preset int8 --io-type ") + type);
    const Json summary = RunLathe("inspect " + Out() + " --json").Json();
    EXPECT_EQ(summary["subgraphs"][0]["inputs"][0]["type"], type);
    EXPECT_EQ(summary["subgraphs"][0]["outputs"][0]["type"], type);
    for (const Json& op : summary["operators"]) {
      EXPECT_THAT(op["types"], Each(Not(HasSubstr("float")))) << op;
    }
  }
}

// "Can only chosen layers be quantized?"
TEST_F(CliQuantizeTest, QuantizesOnlyChosenLayers) {
  const Json only =
      Optimize(RecipeFile("rules: [{selector: {kinds: [DEPTHWISE_CONV_2D]},"
                          " quantize: {scheme: FULL_INTEGER}}]"));
  EXPECT_THAT(PrecisionsOf(only, "DEPTHWISE_CONV_2D"), Each("int8"));
  EXPECT_THAT(PrecisionsOf(only, "CONV_2D"), Each("float32"));
  const Json all_but = Optimize(RecipeFile("{preset: int8, rules: [{selector: {index: 0}, skip: true}]}"));
  EXPECT_THAT(PrecisionsOf(all_but, "DEPTHWISE_CONV_2D"), Each("int8"));
  const auto convolutions = PrecisionsOf(all_but, "CONV_2D");
  EXPECT_EQ(std::count(convolutions.begin(), convolutions.end(), "float32"), 1);
  // What the rules asked for needs no reason.
  for (const Json& op : all_but["operators"]) EXPECT_EQ(op["reason"], "") << op;
}

TEST_F(CliQuantizeTest, RulesMixSchemes) {
  const Json report =
      Optimize(RecipeFile("preset: int8\n"
                          "rules:\n"
                          "  - {selector: {kinds: [DEPTHWISE_CONV_2D]}, quantize: {activations: {bits: 16}}}\n"
                          "  - {selector: {kinds: [FULLY_CONNECTED]}, quantize: {scheme: WEIGHT_ONLY}}\n"));
  EXPECT_THAT(PrecisionsOf(report, "DEPTHWISE_CONV_2D"), Each(HasSubstr("int16")));
  EXPECT_THAT(PrecisionsOf(report, "FULLY_CONNECTED"), Each("weight-only int8"));
  EXPECT_THAT(PrecisionsOf(report, "CONV_2D"), Each("int8"));
  EXPECT_EQ(report["rule_matches"].size(), 6u);
}

// "Works in dynamic range, garbage in full int8; excluded operators by hand": a bound on the error does that.
TEST_F(CliQuantizeTest, FallsBackOperatorByOperatorUntilTheBoundHolds) {
  const Json plain = Optimize("--preset int8");
  const double bound = LeastSqnrDb(plain) + 3;
  const Json bounded = Optimize("--preset int8 --min-sqnr " + std::to_string(bound));
  EXPECT_GE(LeastSqnrDb(bounded), bound);
  EXPECT_THAT(PrecisionsOf(bounded, "CONV_2D"), Contains("int8"));
  std::vector<std::string> reasons;
  for (const Json& op : bounded["operators"]) {
    const bool converts = op["kind"] == "QUANTIZE" || op["kind"] == "DEQUANTIZE";
    const bool wide = op["precision"].get<std::string>().starts_with("int16");
    if (wide && !converts) reasons.push_back(op["reason"]);
  }
  EXPECT_FALSE(reasons.empty());
  EXPECT_THAT(reasons, Each(HasSubstr("int16x8 to reach")));
}

TEST_F(CliQuantizeTest, RefusesABoundThatOnlyFloatReaches) {
  const Json answer = RunLathe(Command("--preset int8 --min-sqnr 150 --no-benchmark --json")).Json();
  EXPECT_EQ(answer["error"]["reason"], "MIN_SQNR_UNREACHABLE") << answer;
}

// "int8 is slower than float": then the report and the last line say so, and only then.
TEST_F(CliQuantizeTest, SaysInTheLastLineWhatMustNotBeMissed) {
  const CommandResult result = RunLathe(Command("--preset int16x8 --report " + folder_.path()));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json report = Json::parse(ReadText(folder_.path() + "/report.json"));
  const double before = report["latency"]["input_ms"], after = report["latency"]["output_ms"];
  if (report["verdict"].empty()) {
    EXPECT_LE(after, before * 1.06);
    EXPECT_THAT(result.out, EndsWith("wrote " + Out() + "\n"));
  } else {
    EXPECT_GT(after, before);
    EXPECT_THAT(result.out, EndsWith("result: " + report["verdict"][0].get<std::string>() + "\n"));
    EXPECT_THAT(result.out, HasSubstr("slower than the input on this machine"));
  }
}

// "The debugger does not work for 16x8": the same report for every scheme.
TEST_F(CliQuantizeTest, RanksOperatorsForEveryIntegerScheme) {
  for (const char* preset : {"int8", "int16x8", "dynamic-range"}) {
    const Json ranked = Optimize(std::string("--sensitivity --preset ") + preset)["sensitivity"];
    ASSERT_GT(ranked.size(), 5u) << preset;
    for (size_t i = 1; i < ranked.size(); ++i) {
      EXPECT_LE(ranked[i - 1]["alone_sqnr_db"], ranked[i]["alone_sqnr_db"]) << preset;
    }
  }
}

// "No drop with int8; do I need any of this?": the report says what each further step is worth, and the least effort
// takes none.
TEST_F(CliQuantizeTest, SaysWhatEachStepIsWorth) {
  const Json stages = Optimize("--preset int8")["stages"];
  ASSERT_FALSE(stages.empty());
  for (const Json& stage : stages) {
    EXPECT_TRUE(stage.contains("sqnr_before_db") && stage.contains("sqnr_after_db") && stage.contains("kept")) << stage;
  }
  EXPECT_FALSE(Optimize("--preset int8 --effort fast").contains("stages"));
}

}  // namespace
}  // namespace lathe
