#include "common/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

TEST(LogTest, WritesOneJsonObjectWithTypedFields) {
  const std::string line = FormatLogLine(
      1'700'000'000'123'456, LogLevel::kWarning, "job_ended", "attempt ended",
      {{"job", "j-1"}, {"attempt", 2}, {"seconds", 1.5}, {"retried", true}, {"bytes", uint64_t{1} << 40}});
  EXPECT_EQ(line, R"({"ts":"2023-11-14T22:13:20.123456Z","level":"warning","event":"job_ended","msg":"attempt ended",)"
                  R"("job":"j-1","attempt":2,"seconds":1.5,"retried":true,"bytes":1099511627776})");
}

TEST(LogTest, KeepsHostileTextsOnOneLine) {
  const std::string hostile = std::string("a\"b\\c\n{\"x\":1}\x00\x1b[31m", 19) + "\xff\xfe \xe2\x28\xa1";
  const std::string line = FormatLogLine(0, LogLevel::kInfo, "e", hostile, {{"name", hostile}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed.size(), 5u);
  EXPECT_EQ(parsed["name"].get<std::string>().substr(0, 5), "a\"b\\c");
}

TEST(LogTest, WritesNoNumbersThatJsonDoesNotHave) {
  const std::string line = FormatLogLine(0, LogLevel::kInfo, "e", "m", {{"x", 0.0 / 0.0 * 1}});
  EXPECT_TRUE(nlohmann::json::parse(line)["x"].is_null());
}

TEST(LogTest, WritesOnlyWhatTheLevelLetsThrough) {
  SetLogLevel(LogLevel::kError);
  testing::internal::CaptureStderr();
  Log(LogLevel::kWarning, "quiet", "not seen");
  LogError("loud", "seen", MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job"), {{"job", "j-1"}});
  const std::string text = testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  const auto parsed = nlohmann::json::parse(text);
  EXPECT_EQ(parsed["event"], "loud");
  EXPECT_EQ(parsed["job"], "j-1");
  EXPECT_EQ(parsed["code"], "NOT_FOUND");
  EXPECT_EQ(parsed["reason"], "JOB_NOT_FOUND");
  EXPECT_EQ(parsed["error"], "no job");
}

TEST(LogTest, KnowsItsLevels) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogLevel("error"), LogLevel::kError);
  EXPECT_TRUE(Fails(ParseLogLevel("loud"), absl::StatusCode::kInvalidArgument, "BAD_LOG_LEVEL", "warning"));
}

}  // namespace
}  // namespace lathe
