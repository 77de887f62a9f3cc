#include "common/build_id.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(BuildIdTest, BeginsWithTheVersion) {
  EXPECT_FALSE(Version().empty());
  EXPECT_FALSE(BuildId().empty());
}

}  // namespace
}  // namespace lathe
