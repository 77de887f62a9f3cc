#include "runtime/metrics/fidelity.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/runtime/metrics/metric_case.h"

namespace lathe {
namespace {

TEST(FidelityTest, IsPerfectForEqualOutputs) {
  MetricCase fidelity("agreement", {MakeInfo("y", {1, 3})});
  ASSERT_TRUE(fidelity.Add({{1, 2, 3}}, {}, {{1, 2, 3}}).ok());
  EXPECT_THAT(fidelity.Figures(), testing::ElementsAre(1, 200, testing::DoubleNear(1, 1e-12), 0));
}

TEST(FidelityTest, MeasuresEachDifference) {
  MetricCase fidelity("sqnr", {MakeInfo("y", {1, 2})});
  ASSERT_TRUE(fidelity.Add({{0, 4}}, {}, {{3, 4}}).ok());
  const std::vector<double> figures = fidelity.Figures();
  EXPECT_EQ(figures[0], 1);
  EXPECT_DOUBLE_EQ(figures[1], 10 * std::log10(25.0 / 9));
  EXPECT_DOUBLE_EQ(figures[2], 16.0 / 20);
  ASSERT_TRUE(fidelity.Add({{9, 4}}, {}, {{3, 4}}).ok());
  EXPECT_EQ(fidelity.Figures()[0], 0.5);
}

TEST(FidelityTest, HasNoAgreementOfSingleValues) {
  MetricCase fidelity("agreement", {MakeInfo("y", {1, 1})});
  ASSERT_TRUE(fidelity.Add({{2}}, {}, {{2}}).ok());
  EXPECT_FALSE(std::isfinite(fidelity.Figures()[0]));
  EXPECT_EQ(fidelity.Figures()[1], 200);
}

TEST(KlDivergenceTest, TakesDistributionsAsTheyAreAndOthersBySoftmax) {
  EXPECT_NEAR(KlDivergence(std::vector<double>{0.5, 0.5}, std::vector<double>{0.25, 0.75}),
              0.5 * std::log(2) + 0.5 * std::log(2.0 / 3), 1e-12);
  const double e = std::exp(1);  // softmax of (1, 0)
  EXPECT_NEAR(KlDivergence(std::vector<double>{1, 0, 0}, std::vector<double>{1, 0, 0}), 0, 1e-12);
  EXPECT_NEAR(KlDivergence(std::vector<double>{5, 5}, std::vector<double>{1, 0}),
              0.5 * std::log(0.5 * (e + 1) / e) + 0.5 * std::log(0.5 * (e + 1)), 1e-12);
}

}  // namespace
}  // namespace lathe
