#include "optimizer/math/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

namespace lathe::math {
namespace {

using ::testing::ElementsAre;

TEST(ChooseInt8ParamsTest, HoldsZeroExactly) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> value(-100, 100);
  for (int i = 0; i < 10000; ++i) {
    const float a = value(random), b = value(random);
    const AffineParams params = ChooseInt8Params(std::min(a, b), std::max(a, b));
    EXPECT_GE(params.zero_point, -128);
    EXPECT_LE(params.zero_point, 127);
    const std::vector<float> zero = {0};
    std::vector<int8_t> q(1);
    QuantizeInt8(zero, params, absl::MakeSpan(q));
    EXPECT_EQ(q[0], params.zero_point);
  }
}

TEST(ChooseInt8ParamsTest, FollowsTheSpecification) {
  EXPECT_EQ(ChooseInt8Params(0, 255), (AffineParams{1.0f, -128}));
  EXPECT_EQ(ChooseInt8Params(-128, 127), (AffineParams{1.0f, 0}));
  // A range that does not hold 0 is widened.
  EXPECT_EQ(ChooseInt8Params(51, 255), (AffineParams{1.0f, -128}));
  EXPECT_EQ(ChooseInt8Params(-255, -51), (AffineParams{1.0f, 127}));
}

TEST(ChooseInt8ParamsTest, ConstantAndHugeRangesGiveUsableScales) {
  EXPECT_TRUE(std::isnormal(ChooseInt8Params(0, 0).scale));
  const float largest = std::numeric_limits<float>::max();
  EXPECT_TRUE(std::isfinite(ChooseInt8Params(-largest, largest).scale));
}

TEST(QuantizeInt8Test, RoundsHalfToEvenAndClamps) {
  const std::vector<float> values = {0.5f, 1.5f, -0.5f, -1.5f, 1000, -1000, 3.2f};
  std::vector<int8_t> q(values.size());
  QuantizeInt8(values, {1.0f, 0}, absl::MakeSpan(q));
  EXPECT_THAT(q, ElementsAre(0, 2, 0, -2, 127, -128, 3));
}

TEST(ChooseWeightScalesTest, TakesTheLargestMagnitudeOfEachChannel) {
  // [outer 2, channels 2, inner 2]
  const std::vector<float> weights = {1, -2, 3, 4, -8, 5, 6, 7};
  std::vector<float> scales(2);
  ASSERT_TRUE(ChooseWeightScales(weights, {2, 2, 2}, absl::MakeSpan(scales)).ok());
  EXPECT_THAT(scales, ElementsAre(8 / 127.0f, 7 / 127.0f));
  // The same numbers with channels innermost.
  std::vector<float> columns(2);
  ASSERT_TRUE(ChooseWeightScales(weights, {4, 2, 1}, absl::MakeSpan(columns)).ok());
  EXPECT_THAT(columns, ElementsAre(8 / 127.0f, 7 / 127.0f));
}

TEST(ChooseWeightScalesTest, ZeroChannelTakesTheLargestScale) {
  const std::vector<float> weights = {0, 0, 3, -4};
  std::vector<float> scales(2);
  ASSERT_TRUE(ChooseWeightScales(weights, {1, 2, 2}, absl::MakeSpan(scales)).ok());
  EXPECT_THAT(scales, ElementsAre(4 / 127.0f, 4 / 127.0f));
}

TEST(ChooseWeightScalesTest, RefusesNanAndInfinityNamingTheIndex) {
  for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> weights(10, 1);
    weights[6] = bad;
    std::vector<float> scales(2);
    const absl::Status status = ChooseWeightScales(weights, {1, 2, 5}, absl::MakeSpan(scales));
    EXPECT_EQ(ReasonOf(status), "WEIGHTS_NOT_FINITE");
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("weight 6"));
  }
}

TEST(QuantizeWeightsTest, ErrorIsAtMostHalfAStepAndMinus128IsUnused) {
  std::mt19937 random(3);
  std::normal_distribution<float> value;
  for (ChannelLayout layout : {ChannelLayout{1, 6, 50}, ChannelLayout{50, 6, 1}, ChannelLayout{5, 6, 10}}) {
    std::vector<float> weights(300);
    for (float& weight : weights) weight = value(random);
    std::vector<float> scales(6);
    ASSERT_TRUE(ChooseWeightScales(weights, layout, absl::MakeSpan(scales)).ok());
    std::vector<int8_t> q(300);
    QuantizeWeights(weights, layout, scales, absl::MakeSpan(q));
    for (size_t i = 0; i < weights.size(); ++i) {
      const float scale = scales[i / static_cast<size_t>(layout.inner) % 6];
      EXPECT_NE(q[i], -128);
      EXPECT_LE(std::fabs(scale * q[i] - weights[i]), scale * 0.5001f);
    }
  }
}

TEST(QuantizeBiasTest, ScaleIsInputTimesWeight) {
  std::vector<float> scales = {0.5f, 0.25f};
  std::vector<int32_t> q(2);
  QuantizeBias(std::vector<float>{1.0f, -2.0f}, 0.1f, 1.0f, absl::MakeSpan(scales), absl::MakeSpan(q));
  EXPECT_THAT(scales, ElementsAre(0.5f, 0.25f));
  EXPECT_THAT(q, ElementsAre(20, -80));
}

TEST(QuantizeBiasTest, DeadChannelRaisesItsScaleInsteadOfSaturating) {
  // A channel whose weights are about 1e-8 and whose bias is -2: with the plain scale the bias needs 2^45.
  std::vector<float> scales = {1e-8f / 127};
  std::vector<int32_t> q(1);
  QuantizeBias(std::vector<float>{-2.0f}, 0.01f, 0.05f, absl::MakeSpan(scales), absl::MakeSpan(q));
  EXPECT_LE(std::abs(static_cast<int64_t>(q[0])), std::numeric_limits<int32_t>::max() / 2);
  EXPECT_NEAR(static_cast<double>(q[0]) * 0.01f * scales[0], -2.0, 1e-6);
}

TEST(QuantizeBiasTest, KeepsTheMultiplierInXnnpacksRange) {
  std::vector<float> scales = {1e-20f};
  std::vector<int32_t> q(1);
  QuantizeBias({}, 1.0f, 1.0f, absl::MakeSpan(scales), absl::MakeSpan(q));
  EXPECT_GE(scales[0], 0x1p-32f);
  EXPECT_EQ(q[0], 0);
}

// The compiler's own binary16 is the peer.
TEST(Float16Test, AgreesWithTheCompilerOnEveryHalf) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats(halves.size());
  FromFloat16(halves, absl::MakeSpan(floats));
  for (size_t i = 0; i < halves.size(); ++i) {
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(halves[i]));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(floats[i])) << i;
    } else {
      EXPECT_EQ(floats[i], expected) << i;
    }
  }
}

TEST(Float16Test, RoundsAsTheCompilerDoes) {
  std::mt19937 random(11);
  std::vector<float> values;
  for (int i = 0; i < 200000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(value) && std::fabs(value) < 65504) values.push_back(value);
  }
  // Exactly between two halves, and just below the smallest subnormal.
  for (float tie : {1.00048828125f, 1.00146484375f, 0x1p-25f, 0x1.8p-24f, 0x1p-24f, 65503.9f}) values.push_back(tie);
  std::vector<uint16_t> halves(values.size());
  ToFloat16(values, absl::MakeSpan(halves));
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(halves[i], std::bit_cast<uint16_t>(static_cast<_Float16>(values[i]))) << values[i];
  }
}

TEST(Float16Test, ClampsInsteadOfOverflowing) {
  const std::vector<float> values = {1e9f, -1e9f, std::numeric_limits<float>::infinity()};
  std::vector<uint16_t> halves(3);
  ToFloat16(values, absl::MakeSpan(halves));
  EXPECT_THAT(halves, ElementsAre(0x7bff, 0xfbff, 0x7bff));
}

TEST(FindMinMaxTest, FindsBothEndsAndNan) {
  EXPECT_EQ(FindMinMax(std::vector<float>{3, -4, 2}).lo, -4);
  EXPECT_EQ(FindMinMax(std::vector<float>{3, -4, 2}).hi, 3);
  EXPECT_TRUE(std::isnan(FindMinMax(std::vector<float>{3, std::nanf(""), 2}).lo));
}

TEST(QuantizeWeightsTest, LevelsFollowTheWidth) {
  const std::vector<float> weights = {-0.7f, 0.7f, -0.8f, 0.8f};
  const std::vector<float> scale = {0.1f};
  std::vector<int8_t> q(4);
  QuantizeWeights(weights, {1, 1, 4}, scale, absl::MakeSpan(q), 4);
  EXPECT_THAT(q, ElementsAre(-7, 7, -7, 7));
  QuantizeWeights(weights, {1, 1, 4}, scale, absl::MakeSpan(q), 2);
  EXPECT_THAT(q, ElementsAre(-2, 1, -2, 1));
  std::vector<float> chosen(1);
  ASSERT_TRUE(ChooseWeightScales(weights, {1, 1, 4}, absl::MakeSpan(chosen), 4).ok());
  EXPECT_EQ(chosen[0], 0.8f / 7);
}

TEST(RoundToBlockScalesTest, RoundsToBfloat16InsideBinary16) {
  std::vector<float> scales = {1.00390625f, 1.01171875f, 1e-9f, 1e9f, 0.75f};  // 1 + 2^-8 is half-way: to even
  std::vector<uint16_t> halves(scales.size());
  RoundToBlockScales(absl::MakeSpan(scales), absl::MakeSpan(halves));
  EXPECT_THAT(scales, ElementsAre(1.0f, 1.015625f, 0x1p-14f, 65280.0f, 0.75f));
  std::vector<float> back(scales.size());
  FromFloat16(halves, absl::MakeSpan(back));
  EXPECT_EQ(back, scales);
}

// 6 / scale is what the kernels of a fused RELU6 compute, in 32 bits.
TEST(ChooseInt16ParamsTest, ConstantTensorKeepsAScaleThatFusedRelu6Takes) {
  EXPECT_LT(6.0 / static_cast<double>(ChooseInt16Params(0, 0).scale), 2147483647.0);
}

}  // namespace
}  // namespace lathe::math
