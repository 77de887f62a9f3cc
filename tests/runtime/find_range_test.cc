#include "runtime/find_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lathe {
namespace {

TEST(FindRangeTest, AgreesWithAPlainLoopAtEverySize) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-3, 5);
  for (size_t size = 1; size < 70; ++size) {
    std::vector<float> values(size);
    for (float& value : values) value = uniform(random);
    TensorRange range;
    ASSERT_TRUE(FindRange(values, &range));
    EXPECT_EQ(range.min, *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(range.max, *std::max_element(values.begin(), values.end()));
  }
}

TEST(FindRangeTest, SeesNanAndInfinityAnywhere) {
  for (float wrong : {std::nanf(""), INFINITY, -INFINITY}) {
    for (size_t size = 1; size < 40; ++size) {
      for (size_t at = 0; at < size; ++at) {
        std::vector<float> values(size, 1.0f);
        values[at] = wrong;
        TensorRange range;
        EXPECT_FALSE(FindRange(values, &range)) << wrong << " at " << at << " of " << size;
      }
    }
  }
}

TEST(FindRangeTest, HasNoNegativeZero) {
  TensorRange range;
  ASSERT_TRUE(FindRange(std::vector<float>(9, -0.0f), &range));
  EXPECT_FALSE(std::signbit(range.min));
  EXPECT_FALSE(std::signbit(range.max));
}

}  // namespace
}  // namespace lathe
