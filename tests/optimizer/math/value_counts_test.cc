#include "optimizer/math/value_counts.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "common/parallel.h"

namespace lathe {
namespace {

template <typename Value>
std::vector<uint8_t> Bytes(const std::vector<Value>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(Value));
  memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(CountValuesTest, CountsBytes) {
  const ValueCounts counts = CountValues(Bytes<int8_t>({-3, -3, 5, 7}), 8, static_cast<uint8_t>(-3), false);
  EXPECT_EQ(counts.values, 4u);
  EXPECT_EQ(counts.zeros, 2u);
  EXPECT_EQ(counts.distinct, 3u);
  EXPECT_DOUBLE_EQ(*counts.entropy_bits, 1.5);
}

TEST(CountValuesTest, CountsNibbles) {
  const ValueCounts counts = CountValues(std::vector<uint8_t>{0x10, 0x20}, 4, 0, false);
  EXPECT_EQ(counts.values, 4u);
  EXPECT_EQ(counts.zeros, 2u);
  EXPECT_EQ(counts.distinct, 3u);
}

TEST(CountValuesTest, KnowsBothZerosOfFloats) {
  const ValueCounts wide = CountValues(Bytes<float>({0.0F, -0.0F, 1, 1}), 32, 0, true);
  EXPECT_EQ(wide.zeros, 2u);
  EXPECT_EQ(wide.distinct, 3u);
  EXPECT_DOUBLE_EQ(*wide.entropy_bits, 1.5);
  const ValueCounts half = CountValues(Bytes<uint16_t>({0x0000, 0x8000, 0x3C00}), 16, 0, true);
  EXPECT_EQ(half.zeros, 2u);
}

TEST(CountValuesTest, StopsAtTooManyPatterns) {
  std::vector<int32_t> values(kDistinctMax + 1);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  EXPECT_FALSE(CountValues(Bytes(values), 32, 0, false).distinct.has_value());
  values.pop_back();
  EXPECT_EQ(CountValues(Bytes(values), 32, 0, false).distinct, kDistinctMax);
}

TEST(CountValuesTest, AddsUpWhatSeveralTasksCount) {
  std::vector<uint8_t> bytes(3'000'001);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i % 100);
  const ValueCounts one = WithThreads(1, [&] { return CountValues(bytes, 8, 7, false); });
  const ValueCounts four = WithThreads(4, [&] { return CountValues(bytes, 8, 7, false); });
  EXPECT_EQ(one.values, bytes.size());
  EXPECT_EQ(one.zeros, 30'000u);
  EXPECT_EQ(one.entropy_bits, four.entropy_bits);
  EXPECT_EQ(CountValues({}, 32, 0, true).values, 0u);
}

}  // namespace
}  // namespace lathe
