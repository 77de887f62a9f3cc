#include "server/page_token.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(PageTokenTest, ComesBack) {
  EXPECT_EQ(MakePageToken(0, "jobs"), "");
  EXPECT_EQ(ParsePageToken("", "jobs").value(), 0);
  EXPECT_EQ(ParsePageToken(MakePageToken(1234567890123, "jobs"), "jobs").value(), 1234567890123);
}

TEST(PageTokenTest, IsBoundToItsFilter) {
  EXPECT_EQ(ReasonOf(ParsePageToken(MakePageToken(5, "jobs"), "artifacts").status()), "BAD_REQUEST");
}

TEST(PageTokenTest, RefusesWhatItDidNotMake) {
  for (const char* token : {"x", "////", "MS4tNS5hYWFh", "MS4wLmFhYWE"}) {
    EXPECT_FALSE(ParsePageToken(token, "jobs").ok()) << token;
  }
}

TEST(PageSizeTest, IsClamped) {
  EXPECT_EQ(ClampPageSize(0), 50);
  EXPECT_EQ(ClampPageSize(7), 7);
  EXPECT_EQ(ClampPageSize(1'000'000), 1000);
}

}  // namespace
}  // namespace lathe
