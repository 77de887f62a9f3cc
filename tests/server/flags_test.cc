#include "server/flags.h"

#include <gtest/gtest.h>

#include <vector>

namespace lathe {
namespace {

FlagsOrExit Parse(std::vector<std::string> args) {
  args.insert(args.begin(), "lathe-server");
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  return ParseServerFlags(static_cast<int>(argv.size()), argv.data());
}

TEST(ServerFlagsTest, Defaults) {
  const FlagsOrExit parsed = Parse({});
  ASSERT_TRUE(parsed.flags.has_value());
  EXPECT_EQ(parsed.flags->listen, "127.0.0.1:7600");
  EXPECT_EQ(parsed.flags->local_workers, 1);
  EXPECT_GE(parsed.flags->threads_per_job, 1);
  EXPECT_EQ(parsed.flags->drain_timeout, std::chrono::seconds(30));
  EXPECT_TRUE(parsed.flags->reflection);
}

TEST(ServerFlagsTest, ReflectionCanBeTurnedOffAndOn) {
  EXPECT_TRUE(Parse({"--reflection"}).flags->reflection);
  EXPECT_FALSE(Parse({"--no-reflection"}).flags->reflection);
}

TEST(ServerFlagsTest, RefusesWhatItCannotDo) {
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{{"--listen", "0.0.0.0:7600"},
                                                                                   {"--metrics-listen", "10.0.0.1:1"},
                                                                                   {"--drain-timeout", "soon"},
                                                                                   {"--drain-timeout", "-1s"},
                                                                                   {"--log-level", "loud"},
                                                                                   {"--slots", "0"},
                                                                                   {"--local-workers", "-1"},
                                                                                   {"--no-such-flag"},
                                                                                   {"positional"}}) {
    const FlagsOrExit parsed = Parse(bad);
    EXPECT_FALSE(parsed.flags.has_value()) << bad[0];
    EXPECT_EQ(parsed.exit_status, 2) << bad[0];
  }
  EXPECT_EQ(Parse({"--help"}).exit_status, 0);
  EXPECT_EQ(Parse({"--drain-timeout", "1.5m"}).flags->drain_timeout, std::chrono::seconds(90));
}

}  // namespace
}  // namespace lathe
