#include "optimizer/math/row_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

std::vector<float> Normal(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 60);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// Lengths around those of vectors: every rest is a loop of its own.
TEST(RowKernelsTest, FindTheLargestMagnitudeAtAnyPlace) {
  for (size_t count : {1u, 3u, 4u, 7u, 8u, 9u, 16u, 31u, 100u}) {
    for (size_t at = 0; at < count; ++at) {
      std::vector<float> values(count, 1.0f);
      values[at] = -2.5f;
      EXPECT_EQ(LargestMagnitude(values), 2.5f);
      values[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_FALSE(std::isfinite(LargestMagnitude(values)));
      values[at] = -std::numeric_limits<float>::infinity();
      EXPECT_FALSE(std::isfinite(LargestMagnitude(values)));
    }
  }
  EXPECT_EQ(LargestMagnitude({}), 0);
}

TEST(RowKernelsTest, FindExtremesAtAnyPlace) {
  for (size_t count : {1u, 2u, 4u, 7u, 8u, 9u, 16u, 31u, 100u}) {
    for (size_t at = 0; at < count; ++at) {
      std::vector<float> values(count, 1.0f);
      values[at] = -2.5f;
      values[count - 1 - at] = 3;
      float least = 0, largest = 0;
      EXPECT_TRUE(FindExtremes(values, &least, &largest));
      EXPECT_EQ(least, at == count - 1 - at ? *std::min_element(values.begin(), values.end()) : -2.5f);
      EXPECT_EQ(largest, 3);
      values[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_FALSE(FindExtremes(values, &least, &largest));
    }
  }
}

TEST(RowKernelsTest, QuantizeAsTheFormulaSays) {
  const std::vector<float> values = Normal(1003);
  for (float scale : {0.3f, 1.0f, 1e-3f}) {
    for (size_t count : {1u, 15u, 16u, 17u, 1003u}) {
      std::vector<int8_t> levels(count);
      QuantizeRow(absl::MakeSpan(values).first(count), scale, -127, 127, absl::MakeSpan(levels));
      for (size_t i = 0; i < count; ++i) {
        const float expected = std::clamp(std::nearbyint(values[i] / scale), -127.0f, 127.0f);
        ASSERT_EQ(levels[i], static_cast<int8_t>(expected)) << i;
      }
    }
  }
}

TEST(RowKernelsTest, RoundHalvesToEven) {
  std::vector<float> values(16);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 7.5f;
  std::vector<int8_t> levels(16);
  QuantizeRow(values, 1, -8, 7, absl::MakeSpan(levels));
  EXPECT_EQ(levels, (std::vector<int8_t>{-8, -6, -6, -4, -4, -2, -2, 0, 0, 2, 2, 4, 4, 6, 6, 7}));
}

}  // namespace
}  // namespace lathe::math
