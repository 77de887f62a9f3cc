#include "runtime/litert_library.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace lathe {
namespace {

// In a child, because the library is looked for once in a process. gtest runs death tests first.
TEST(LiteRtLibraryDeathTest, SaysHowToGetTheLibrary) {
  EXPECT_EXIT(
      {
        setenv("LATHE_LITERT_LIB", "/nowhere/libLiteRt.so", 1);
        const absl::Status status = LoadLiteRt().status();
        std::cerr << ReasonOf(status) << ": " << status.message();
        exit(status.code() == absl::StatusCode::kFailedPrecondition ? 0 : 1);
      },
      testing::ExitedWithCode(0), "RUNTIME_MISSING: .*nowhere.*tools/fetch.*LATHE_LITERT_LIB");
}

TEST(LiteRtLibraryDeathTest, RefusesALibraryWithoutTheFunctions) {
  EXPECT_EXIT(
      {
        setenv("LATHE_LITERT_LIB", "libm.so.6", 1);
        const absl::Status status = LoadLiteRt().status();
        std::cerr << ReasonOf(status) << ": " << status.message();
        exit(status.ok() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "RUNTIME_MISSING: .*no function LiteRtCreateEnvironment");
}

TEST(LiteRtLibraryTest, LoadsAndKnowsItsVersion) {
  EXPECT_TRUE(LoadLiteRt().ok()) << LoadLiteRt().status();
  EXPECT_EQ(RuntimeVersion().find("2."), 0u) << RuntimeVersion();
}

}  // namespace
}  // namespace lathe
