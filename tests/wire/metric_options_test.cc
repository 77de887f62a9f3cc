#include "wire/metric_options.h"

#include <gmock/gmock.h>

#include "common/file.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

absl::StatusOr<v1::MetricOptions> Read(const std::string& text) {
  const TempDir folder;
  EXPECT_TRUE(WriteFileAtomically(folder.path() + "/o.yaml", text).ok());
  return ReadMetricOptionsFile(folder.path() + "/o.yaml");
}

TEST(ReadMetricOptionsFileTest, ReadsYamlAndKeepsDefaults) {
  const auto read =
      Read("ctc: {blank: 0, alphabet: ' ab'}\ndetection: {format: grid, anchors: [{width: 8, height: 9}]}\n");
  ASSERT_TRUE(read.ok()) << read.status();
  const MetricOptions options = MetricOptionsFromProto(*read);
  EXPECT_EQ(options.ctc.blank, 0u);
  EXPECT_EQ(options.ctc.alphabet, " ab");
  EXPECT_EQ(options.detection.format, MetricOptions::Detection::Format::kGrid);
  EXPECT_EQ(options.detection.anchors[0].height, 9);
  EXPECT_EQ(options.detection.score_min, 0.01);
  EXPECT_EQ(options.answer_span.start, "start_logits");
  EXPECT_EQ(options.label_scale, 1);
}

TEST(ReadMetricOptionsFileTest, NamesTheFileAndTheField) {
  const auto unknown = Read("peek: 255\n");
  EXPECT_EQ(ReasonOf(unknown.status()), "BAD_REQUEST");
  EXPECT_THAT(std::string(unknown.status().message()),
              testing::AllOf(testing::HasSubstr("o.yaml"), testing::HasSubstr("peek")));
  EXPECT_EQ(ReasonOf(ReadMetricOptionsFile("missing.yaml").status()), "BAD_REQUEST");
}

}  // namespace
}  // namespace lathe
