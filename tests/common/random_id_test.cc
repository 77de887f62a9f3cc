#include "common/random_id.h"

#include <gtest/gtest.h>

#include <set>

namespace lathe {
namespace {

TEST(RandomIdTest, OrdersByTime) {
  EXPECT_EQ(TimeOrderedId(1'700'000'000'000'000).size(), 26u);
  EXPECT_EQ(TimeOrderedId(1'700'000'000'000'000).substr(0, 10), TimeOrderedId(1'700'000'000'000'999).substr(0, 10));
  EXPECT_LT(TimeOrderedId(1'700'000'000'000'000), TimeOrderedId(1'700'000'000'001'000));
  EXPECT_LT(TimeOrderedId(1'700'000'000'000'000), TimeOrderedId(4'000'000'000'000'000));
}

TEST(RandomIdTest, DoesNotRepeat) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(TimeOrderedId(0));
    ids.insert(RandomUuid());
  }
  EXPECT_EQ(ids.size(), 2000u);
  EXPECT_EQ(RandomUuid()[14], '4');
}

TEST(RandomIdTest, KnowsResourceIds) {
  for (const char* good : {"a", "j-01hf", "my-job-7"}) EXPECT_TRUE(IsResourceId(good)) << good;
  for (const char* bad : {"", "-a", "a-", "7a", "A", "a b", "a/b", "..", "\xc3\xa4"}) {
    EXPECT_FALSE(IsResourceId(bad)) << bad;
  }
  EXPECT_FALSE(IsResourceId(std::string(64, 'a')));
}

}  // namespace
}  // namespace lathe
