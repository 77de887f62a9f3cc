#include "wire/json.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "lathe/v1/artifact.pb.h"
#include "lathe/v1/job.pb.h"
#include "lathe/v1/report.pb.h"
#include "wire/status.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonTest, PrintsWideNumbersAsNumbersAndUnsetScalarsAsZero) {
  v1::FileReport file;
  file.set_bytes(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(ToJsonText(file), R"({"bytes":18446744073709551615,"sha256":""})");
}

TEST(JsonTest, PrintsOptionalFieldsOnlyWhenTheyAreSet) {
  v1::FileReport file;
  EXPECT_FALSE(ToJson(file).contains("zstd_bytes"));
  file.set_zstd_bytes(0);
  EXPECT_EQ(ToJson(file)["zstd_bytes"], 0);
}

TEST(JsonTest, LeavesOutMessagesThatAreNotSetAndKeepsEmptyLists) {
  const Json json = ToJson(v1::Report());
  EXPECT_FALSE(json.contains("latency"));
  EXPECT_EQ(json["warnings"], Json::array());
  EXPECT_EQ(json["peak_rss_bytes"], 0);
}

TEST(JsonTest, LeavesOutNumbersThatJsonDoesNotHave) {
  v1::LatencyReport latency;
  latency.set_input_ms(std::numeric_limits<double>::quiet_NaN());
  latency.set_output_ms(std::numeric_limits<double>::infinity());
  const Json json = ToJson(latency);
  EXPECT_FALSE(json.contains("input_ms"));
  EXPECT_FALSE(json.contains("output_ms"));
  EXPECT_EQ(json["threads"], 0);
}

TEST(JsonTest, PrintsBytesEnumsTimesAndMaps) {
  v1::Artifact artifact;
  artifact.set_sha256(std::string("\x00\xff\x1a", 3));
  artifact.set_kind(v1::Artifact::MODEL);
  artifact.mutable_create_time()->set_seconds(1'700'000'000);
  artifact.mutable_create_time()->set_nanos(5'000'000);
  (*artifact.mutable_labels())["team"] = "vision";
  const Json json = ToJson(artifact);
  EXPECT_EQ(json["sha256"], "00ff1a");
  EXPECT_EQ(json["kind"], "MODEL");
  EXPECT_EQ(json["create_time"], "2023-11-14T22:13:20.005Z");
  EXPECT_EQ(json["labels"]["team"], "vision");
  EXPECT_EQ(ToJson(v1::Artifact())["labels"], Json::object());
}

TEST(JsonTest, PrintsUnknownEnumValuesAsNumbers) {
  v1::Job job;
  job.set_state(static_cast<v1::Job::State>(77));
  EXPECT_EQ(ToJson(job)["state"], 77);
}

TEST(JsonTest, PrintsErrorsLikeTheCommandLine) {
  v1::Job job;
  *job.mutable_error() =
      RpcFromStatus(MakeViolationsError({{"spec.optimize.recipe.preset", "not a preset"}}), ErrorRoom::kJob);
  const Json error = ToJson(job)["error"];
  EXPECT_EQ(error["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(error["reason"], "BAD_REQUEST");
  EXPECT_EQ(error["violations"][0]["field"], "spec.optimize.recipe.preset");
}

TEST(JsonTest, SurvivesTextThatIsNotUtf8) {
  v1::OutputError output;
  output.set_name("\xff\xfe\x01 name");
  EXPECT_TRUE(Json::accept(ToJsonText(output)));
}

}  // namespace
}  // namespace lathe
