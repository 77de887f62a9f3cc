#include "common/parallel.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace lathe {
namespace {

TEST(ParallelTest, VisitsEveryIndexOnce) {
  std::vector<int> visits(10'007, 0);
  ParallelFor(visits.size(), [&](size_t i) { ++visits[i]; });
  for (int count : visits) ASSERT_EQ(count, 1);
}

TEST(ParallelTest, CutsRangesThatDoNotDependOnTheThreads) {
  for (int threads : {1, 2, 4}) {
    std::vector<size_t> ends(11, 0);
    WithThreads(threads,
                [&] { ParallelForRanges(105, 10, [&](size_t begin, size_t end) { ends[begin / 10] = end; }); });
    EXPECT_EQ(ends[0], 10u);
    EXPECT_EQ(ends[10], 105u);
  }
}

TEST(ParallelTest, MakesWritesVisibleAfterwards) {
  std::vector<uint64_t> values(1000);
  ParallelFor(values.size(), [&](size_t i) { values[i] = i; });
  uint64_t sum = 0;
  for (uint64_t value : values) sum += value;
  EXPECT_EQ(sum, 499'500u);
}

}  // namespace
}  // namespace lathe
