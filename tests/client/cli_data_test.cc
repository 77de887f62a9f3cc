// Data files of every kind, as the command takes them: the real executor on a small trained model.

#include <gmock/gmock.h>

#include "tests/client/run_command.h"

namespace lathe {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class CliDataTest : public testing::Test {
 protected:
  void SetUp() override { LATHE_SKIP_WITHOUT_SHARED(); }
  CommandResult Optimize(const std::string& data, const std::string& flags) const {
    return RunLathe("optimize " + SharedDir() + "/data/fashion/fm_mnv1relu.tflite -o " + folder_.path() +
                    "/out.tflite --preset int8 --no-benchmark --json --calibration " + SharedDir() + "/data/fashion/" +
                    data + " " + flags);
  }
  std::string Preprocessing(const std::string& text) const {
    std::ofstream(folder_.path() + "/preprocessing.yaml") << text;
    return "--preprocessing " + folder_.path() + "/preprocessing.yaml";
  }
  const TempDir folder_;
};

TEST_F(CliDataTest, EveryFormatGivesTheSameModel) {
  const Json npz = Optimize("calib.npz", "--scale 0.00392156862745098").Json();
  ASSERT_TRUE(npz.contains("output")) << npz;
  for (const char* data : {"calib.parquet", "calib.arrow"}) {
    const Json table = Optimize(data, "--scale 0.00392156862745098").Json();
    ASSERT_TRUE(table.contains("output")) << table;
    EXPECT_EQ(table["output"]["sha256"], npz["output"]["sha256"]) << data;
  }
}

TEST_F(CliDataTest, PreprocessingIsAFileOrPartOfTheRecipe) {
  const Json flags = Optimize("calib.npz", "--scale 0.00392156862745098 --samples 50 --seed 3").Json();
  const Json file =
      Optimize("calib.npz", Preprocessing("channel_scale: [0.00392156862745098]") + " --samples 50 --seed 3").Json();
  ASSERT_TRUE(flags.contains("output")) << flags;
  ASSERT_TRUE(file.contains("output")) << file;
  EXPECT_EQ(flags["output"]["sha256"], file["output"]["sha256"]);
}

TEST_F(CliDataTest, WrongPreprocessingIsAUsageError) {
  const CommandResult unknown = Optimize("calib.npz", Preprocessing("resise: {height: 3}"));
  EXPECT_EQ(unknown.exit_code, 2) << unknown.out;
  const CommandResult wrong = Optimize("calib.npz", Preprocessing("crop: {height: 0, width: 3}"));
  EXPECT_EQ(wrong.exit_code, 2) << wrong.out;
  EXPECT_THAT(wrong.out, HasSubstr("preprocessing.crop.height"));
}

TEST_F(CliDataTest, WarnsOfPixelsThatAreNotScaled) {
  const Json report = Optimize("calib.npz", "--scale 1").Json();
  ASSERT_TRUE(report.contains("warnings")) << report;
  EXPECT_THAT(report["warnings"].get<std::vector<std::string>>(),
              Contains(HasSubstr("column 'image': pixels up to 255, and nothing in the model scales them")));
}

}  // namespace
}  // namespace lathe
