#include "wire/preprocessing.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

class PreprocessingTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::Preprocessing> ReadText(const std::string& text) const {
    const std::string path = dir_.path() + "/preprocessing.yaml";
    std::ofstream(path) << text;
    return ReadPreprocessingFile(path);
  }
  TempDir dir_;
};

TEST_F(PreprocessingTest, KeepsEveryField) {
  const auto proto = ReadText(
      "resize: {shorter_side: 256, method: antialias}\n"
      "crop: {height: 224, width: 225}\n"
      "channels: BGR\n"
      "channel_mean: [123.675, 116.28, 103.53]\n"
      "channel_scale: [0.0171, 0.0175, 0.0174]\n"
      "scale: 2\nmean: 3\n");
  ASSERT_TRUE(proto.ok()) << proto.status();
  const Preprocessing plain = PreprocessingFromProto(*proto);
  EXPECT_EQ(plain.resize->method, ImageResize::Method::kAntialias);
  EXPECT_EQ(plain.channels, Preprocessing::Channels::kBgr);
  EXPECT_EQ(plain.channel_mean[1], 116.28);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*proto, PreprocessingToProto(plain)));
}

TEST_F(PreprocessingTest, SaysWhatIsUnknown) {
  const auto unknown = ReadText("resise: {height: 1}");
  EXPECT_EQ(ReasonOf(unknown.status()), "RECIPE_INVALID");
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("resise"));
  EXPECT_FALSE(ReadPreprocessingFile(dir_.path() + "/missing").ok());
}

}  // namespace
}  // namespace lathe
