#include <gmock/gmock.h>

#include "runtime/profile.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

// Three convolutions: 0, 1, 2.
Model Convolutions() {
  ModelBuilder builder;
  const auto x = builder.Input("x", {1, 8, 8, 4});
  builder.Output(builder.Conv2d(builder.Conv2d(builder.Conv2d(x, 4, 3, 1), 4, 3, 1), 4, 3, 1));
  return builder.Build();
}

std::vector<KernelTime> Delegated(const std::vector<std::string>& names) {
  std::vector<KernelTime> kernels;
  for (const std::string& name : names) {
    KernelTime& kernel = kernels.emplace_back();
    kernel.kernel = name;
    kernel.delegated = true;
  }
  return kernels;
}

std::vector<int> Indices(const std::vector<KernelTime>& kernels) {
  std::vector<int> indices;
  for (const KernelTime& kernel : kernels) indices.push_back(kernel.index.value_or(-1));
  return indices;
}

TEST(AttributeKernelsTest, FollowsTheOrder) {
  const Model model = Convolutions();
  auto kernels = Delegated({"Convert (NC, F32, QS8)", "Convolution (NHWC, F32) IGEMM", "Clamp (NC)",
                            "Fully Connected (NC, F32) GEMM", "Convolution (NHWC, F32) IGEMM", "Copy (NC, X32)"});
  AttributeKernels(model, kernels);
  EXPECT_THAT(Indices(kernels), ::testing::ElementsAre(-1, 0, 0, 1, 2, 2));
  EXPECT_EQ(CountDelegated(model, kernels).delegated, 3);
}

TEST(AttributeKernelsTest, LeavesOutWhatTheOrderDoesNotTell) {
  const Model model = Convolutions();
  auto kernels = Delegated({"Convolution (NHWC, F32) IGEMM", "Convolution (NHWC, F32) IGEMM"});  // two of three
  AttributeKernels(model, kernels);
  EXPECT_THAT(Indices(kernels), ::testing::ElementsAre(-1, -1));
}

TEST(AttributeKernelsTest, SkipsWhatBuiltInKernelsRan) {
  const Model model = Convolutions();
  auto kernels = Delegated({"Convolution (NHWC, F32) IGEMM", "CONV_2D", "Convolution (NHWC, F32) IGEMM"});
  kernels[1].delegated = false;
  kernels[1].subgraph = 0;
  kernels[1].index = 1;
  AttributeKernels(model, kernels);
  EXPECT_THAT(Indices(kernels), ::testing::ElementsAre(0, 1, 2));
  const DelegateCoverage coverage = CountDelegated(model, kernels);
  EXPECT_EQ(coverage.operators, 3);
  EXPECT_EQ(coverage.delegated, 2);
}

TEST(AttributeKernelsTest, SaysNothingOfOtherSubgraphs) {
  const Model model = Convolutions();
  auto kernels = Delegated({"Convolution (NHWC, F32) IGEMM", "ADD"});
  kernels[1].delegated = false;
  kernels[1].subgraph = 1;
  kernels[1].index = 0;
  AttributeKernels(model, kernels);
  EXPECT_FALSE(kernels[0].index.has_value());
}

}  // namespace
}  // namespace lathe
