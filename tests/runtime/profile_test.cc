#include "runtime/profile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

TEST(ProfileTest, FindsTheSlowOperator) {
  ModelBuilder builder;
  const auto x = builder.Input("x", {1, 64, 64, 4});
  const auto wide = builder.Conv2d(x, 64, 3, 1);
  builder.Output(builder.Conv2d(builder.Conv2d(wide, 64, 5, 1), 4, 1, 1));  // operator 1: nearly all of the work
  const LoadedModel model = Loaded(builder.Build());
  auto samples = MakeSyntheticSamples(model.model, {});
  const auto profile = Profile({&model.model, model.bytes()}, model.model, **samples, {});
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_GE(profile->runs, 3);
  ASSERT_FALSE(profile->kernels.empty());
  const auto slowest = std::max_element(profile->kernels.begin(), profile->kernels.end(),
                                        [](const auto& a, const auto& b) { return a.ms < b.ms; });
  EXPECT_TRUE(slowest->delegated);
  EXPECT_EQ(slowest->index, 1);
  double sum = 0;
  for (const KernelTime& kernel : profile->kernels) sum += kernel.ms;
  EXPECT_LE(sum, profile->run_ms * 1.5);
  const DelegateCoverage coverage = CountDelegated(model.model, profile->kernels);
  EXPECT_EQ(coverage.operators, 3);
  EXPECT_EQ(coverage.delegated, 3);
}

}  // namespace
}  // namespace lathe
