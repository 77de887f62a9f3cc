#include "optimizer/math/half_rounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

std::vector<float> Rounded(const std::vector<float>& values, ChannelLayout layout) {
  std::vector<uint16_t> halves(values.size());
  ToBalancedFloat16(values, layout, absl::MakeSpan(halves));
  std::vector<float> result(values.size());
  FromFloat16(halves, absl::MakeSpan(result));
  return result;
}

// The spacing of float16 around `value`.
double Step(float value) { return std::exp2(std::max(std::floor(std::log2(std::fabs(value))), -14.0f) - 10); }

TEST(ToBalancedFloat16Test, ErrorsOfEachChannelAddUpToNothing) {
  constexpr ChannelLayout kLayout{.outer = 9, .channels = 5, .inner = 20};
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(9 * 5 * 20);
  for (float& value : values) value = uniform(random);
  const std::vector<float> rounded = Rounded(values, kLayout);
  std::vector<double> sums(5, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_LE(std::fabs(rounded[i] - values[i]), Step(values[i]));
    sums[i / 20 % 5] += static_cast<double>(rounded[i]) - static_cast<double>(values[i]);
  }
  // Nearest rounding leaves sqrt(180 / 12) steps of 2^-12 or so.
  for (double sum : sums) EXPECT_LT(std::fabs(sum), 0x1p-12);
}

TEST(ToBalancedFloat16Test, ExactAndClampedValuesStay) {
  const std::vector<float> values = {1, -0.5f, 0, 65504, -65504, 70000, 0x1p-24f};
  EXPECT_THAT(Rounded(values, {.outer = 1, .channels = 1, .inner = 7}),
              ::testing::ElementsAre(1, -0.5f, 0, 65504, -65504, 65504, 0x1p-24f));
}

TEST(ToBalancedFloat16Test, AlternatesWhereAllValuesAreEqual) {
  const float between = 1 + 0x1p-11f;  // half-way to the next float16, 1 + 2^-10
  const std::vector<float> rounded = Rounded({between, between}, {.outer = 1, .channels = 1, .inner = 2});
  EXPECT_EQ(rounded[0] + rounded[1], 2 * between);
}

}  // namespace
}  // namespace lathe::math
