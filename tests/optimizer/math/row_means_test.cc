#include "optimizer/math/row_means.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lathe::math {
namespace {

TEST(RowMeansTest, FindsTheLargestMeanAndTheLargestValue) {
  const std::vector<float> values = {1, 3, -5, -7, 2, -2};
  const RowMeans means = FindRowMeans(values, 2);
  EXPECT_EQ(means.largest_mean, 6);
  EXPECT_EQ(means.magnitude, 7);
}

TEST(RowMeansTest, SubtractsEachRowsOwnMean) {
  const std::vector<float> values = {1, 3, -5, -7};
  std::vector<float> out(4);
  SubtractRowMeans(values, 2, absl::MakeSpan(out));
  EXPECT_THAT(out, ::testing::ElementsAre(-1, 1, 1, -1));
}

TEST(RowMeansTest, WhatRoundingLeavesIsFarBelowTheValues) {
  std::vector<float> values(96);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 1000.0f + std::sin(static_cast<float>(i));
  SubtractRowMeans(values, values.size(), absl::MakeSpan(values));
  const RowMeans left = FindRowMeans(values, values.size());
  EXPECT_LE(left.largest_mean, left.magnitude * 0x1p-24);
}

TEST(RowMeansTest, NanIsNotFinite) {
  const std::vector<float> values = {1, std::nanf(""), 2, 3};
  EXPECT_FALSE(std::isfinite(FindRowMeans(values, 2).magnitude));
}

}  // namespace
}  // namespace lathe::math
