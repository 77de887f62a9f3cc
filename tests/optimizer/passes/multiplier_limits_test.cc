#include "optimizer/passes/multiplier_limits.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

std::vector<ScaleDemand> DemandsOf(OpKind kind, int bits, double operand_scale, double result_scale) {
  return FindScaleDemands(
      kind, bits, [&](size_t) { return operand_scale; }, result_scale, 0, 0);
}

// The runtime ends the process above this multiplier: (2 s)^2 / (2^14 * result) < 1.
TEST(FindScaleDemandsTest, SquaredDifferenceNeedsAResultThatIsNotTiny) {
  EXPECT_TRUE(DemandsOf(OpKind::kSquaredDifference, 8, 0.01, 0.01 * 0.01 / 4000).empty());
  const std::vector<ScaleDemand> demands = DemandsOf(OpKind::kSquaredDifference, 8, 0.01, 1e-9);
  ASSERT_EQ(demands.size(), 1u);
  EXPECT_EQ(demands[0].side, ScaleDemand::Side::kResult);
  EXPECT_LT(4 * 0.01 * 0.01 / (16384 * demands[0].scale_min), 1);
}

// s / (128 * result) < 1, or the kernel refuses to be prepared.
TEST(FindScaleDemandsTest, HardSwishNeedsAResultThatIsNotTiny) {
  EXPECT_TRUE(DemandsOf(OpKind::kHardSwish, 8, 0.01, 0.01 / 120).empty());
  const std::vector<ScaleDemand> demands = DemandsOf(OpKind::kHardSwish, 8, 0.01, 1e-9);
  ASSERT_EQ(demands.size(), 1u);
  EXPECT_LT(0.01 / (128 * demands[0].scale_min), 1);
}

}  // namespace
}  // namespace lathe
