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

// Every width of the vector code, rows that do not fill it, and channels that start with something seen before.
TEST(FindChannelRangesTest, AgreesWithAPlainLoop) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> uniform(-3, 5);
  for (size_t channels : std::vector<size_t>{1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 64, 1001, 4096}) {
    for (size_t rows : std::vector<size_t>{1, 2, 3, 4, 5, 9, 33}) {
      std::vector<float> values(rows * channels);
      for (float& value : values) value = uniform(random);
      std::vector<TensorRange> expected(channels, {1, 2}), found = expected;
      for (size_t i = 0; i < values.size(); ++i) {
        TensorRange& range = expected[i % channels];
        range = {std::min(range.min, values[i]), std::max(range.max, values[i])};
      }
      TensorRange whole;
      ASSERT_TRUE(FindChannelRanges(values, absl::MakeSpan(found), &whole));
      EXPECT_EQ(found, expected) << rows << " x " << channels;
      EXPECT_EQ(whole.min, *std::min_element(values.begin(), values.end()));
      EXPECT_EQ(whole.max, *std::max_element(values.begin(), values.end()));
    }
  }
}

TEST(FindChannelRangesTest, SeesNanAndInfinityAnywhere) {
  for (float wrong : {std::nanf(""), INFINITY, -INFINITY}) {
    for (size_t channels : std::vector<size_t>{1, 3, 18}) {
      for (size_t at = 0; at < 7 * channels; ++at) {
        std::vector<float> values(7 * channels, 1.0f);
        values[at] = wrong;
        std::vector<TensorRange> ranges(channels);
        TensorRange range;
        EXPECT_FALSE(FindChannelRanges(values, absl::MakeSpan(ranges), &range)) << wrong << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace lathe
