#include "runtime/output_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

TensorInfo Info(std::vector<int32_t> shape) {
  TensorInfo info;
  info.name = "y";
  info.shape = std::move(shape);
  info.elements = 1;
  for (int32_t dimension : info.shape) info.elements *= dimension;
  return info;
}

absl::Span<const uint8_t> Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

OutputSums Sum(const TensorInfo& info, const std::vector<float>& expected, const std::vector<float>& found) {
  const auto sums = SumOutput({info, Bytes(expected)}, {info, Bytes(found)}, 0);
  EXPECT_TRUE(sums.ok()) << sums.status();
  return *sums;
}

TEST(SqnrDbTest, FollowsTheDefinition) {
  EXPECT_DOUBLE_EQ(*SqnrDb(100, 1), 20);
  EXPECT_DOUBLE_EQ(*SqnrDb(5, 0), 200);
  EXPECT_EQ(SqnrDb(0, 1), std::nullopt);
  EXPECT_EQ(SqnrDb(0, 0), std::nullopt);
}

// Two samples of [1,2]: y = 10, 12, 8, 10 (mean 10), errors 1, 0, 0, 1. By hand: 408 / 2, and (0 + 4 + 4 + 0) / 2.
TEST(MakeOutputErrorTest, TakesTheMeanOverSamplesAndElementsOffTheSignal) {
  const TensorInfo info = Info({1, 2});
  const std::vector<OutputSums> sums = {Sum(info, {10, 12}, {11, 12}), Sum(info, {8, 10}, {8, 9})};
  const OutputError error = MakeOutputError(info, sums);
  EXPECT_EQ(error.name, "y");
  EXPECT_NEAR(*error.sqnr_db, 10 * std::log10(204.0), 1e-9);
  EXPECT_NEAR(*error.sqnr_mean_removed_db, 10 * std::log10(4.0), 1e-9);
}

TEST(MakeOutputErrorTest, HasNoMeanRemovedFigureForAConstant) {
  const TensorInfo info = Info({3});
  const OutputError error = MakeOutputError(info, {Sum(info, {0.1f, 0.1f, 0.1f}, {0.2f, 0.1f, 0.1f})});
  EXPECT_TRUE(error.sqnr_db);
  EXPECT_EQ(error.sqnr_mean_removed_db, std::nullopt);
}

TEST(MakeOutputErrorTest, CountsEqualArgMaxAndTies) {
  const TensorInfo info = Info({1, 3});
  const std::vector<OutputSums> sums = {
      Sum(info, {1, 2, 3}, {1, 2, 3}),  // the same
      Sum(info, {1, 2, 3}, {1, 3, 3}),  // a tie, which goes to the first
      Sum(info, {3, 2, 1}, {3, 3, 1}),  // a tie that goes the right way
      Sum(info, {1, 2, 3}, {3, 2, 1}),  // another one
  };
  const OutputError error = MakeOutputError(info, sums);
  EXPECT_DOUBLE_EQ(*error.argmax_agreement, 0.5);
  EXPECT_DOUBLE_EQ(*error.argmax_ties, 0.5);
}

TEST(MakeOutputErrorTest, RanksVectorsOnly) {
  for (const auto& shape : std::vector<std::vector<int32_t>>{{1, 2, 3}, {1, 1}, {}}) {
    const TensorInfo info = Info(shape);
    const std::vector<float> values(static_cast<size_t>(info.elements), 1);
    EXPECT_EQ(MakeOutputError(info, {Sum(info, values, values)}).argmax_agreement, std::nullopt);
  }
  for (const auto& shape : std::vector<std::vector<int32_t>>{{4}, {1, 4}, {1, 1, 1, 4}, {1, 4, 1}}) {
    const TensorInfo info = Info(shape);
    EXPECT_EQ(MakeOutputError(info, {Sum(info, {4, 3, 2, 1}, {4, 3, 2, 1})}).argmax_agreement, 1);
  }
}

TEST(SumOutputTest, NamesModelOutputAndSampleThatIsNotFinite) {
  const TensorInfo info = Info({2});
  const std::vector<float> good = {1, 2};
  for (float wrong : {std::nanf(""), INFINITY, -INFINITY}) {
    const std::vector<float> bad = {1, wrong};
    const auto in_input = SumOutput({info, Bytes(bad)}, {info, Bytes(good)}, 7);
    const auto in_result = SumOutput({info, Bytes(good)}, {info, Bytes(bad)}, 7);
    EXPECT_EQ(ReasonOf(in_input.status()), "OUTPUT_NOT_FINITE");
    EXPECT_THAT(std::string(in_input.status().message()), testing::HasSubstr("'y' of the input model"));
    EXPECT_THAT(std::string(in_result.status().message()), testing::HasSubstr("of the optimized model"));
    EXPECT_THAT(std::string(in_result.status().message()), testing::HasSubstr("sample 7"));
  }
}

}  // namespace
}  // namespace lathe
