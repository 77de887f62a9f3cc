#include "wire/utf8.h"

#include <gtest/gtest.h>

#include "lathe/v1/report.pb.h"

namespace lathe {
namespace {

TEST(MakeUtf8Test, CleansStringsAtEveryDepth) {
  v1::Report report;
  report.add_warnings("bad \xff");
  report.add_warnings("good é");
  report.mutable_input()->set_sha256("\xfe");
  report.add_operators()->set_name("n\xc0");
  MakeUtf8(&report);
  EXPECT_EQ(report.warnings(0), "bad ?");
  EXPECT_EQ(report.warnings(1), "good é");
  EXPECT_EQ(report.input().sha256(), "?");
  EXPECT_EQ(report.operators(0).name(), "n?");
}

}  // namespace
}  // namespace lathe
