#include "optimizer/passes/versions.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

Quantization PerChannel(size_t channels) {
  Quantization quantization;
  quantization.scale.assign(channels, 0.1f);
  quantization.zero_point.assign(channels, 0);
  return quantization;
}

struct Case {
  TensorType data, weights;
  size_t scales;
  bool bias, keep_num_dims;
  int32_t version;
};

// The table of LiteRT's op_version.cc, for the forms that are written here.
TEST(MinimalVersionTest, FullyConnected) {
  constexpr auto kFloat = TensorType::kFloat32, kInt = TensorType::kInt8;
  const Case cases[] = {{kFloat, kFloat, 0, true, false, 1},  {kFloat, kFloat, 0, true, true, 5},
                        {kFloat, kFloat, 0, false, false, 6}, {kInt, kInt, 4, true, false, 4},
                        {kInt, kInt, 4, false, false, 6},     {kFloat, kInt, 1, true, false, 3},
                        {kFloat, kInt, 4, true, false, 12}};
  for (const Case& c : cases) {
    ModelBuilder builder;
    const TensorId x = builder.Activation("x", {1, 2}, c.data),
                   w = builder.Activation("w", {4, 2}, c.weights, PerChannel(c.scales));
    const TensorId b = c.bias ? builder.Activation("b", {4}) : TensorId(), y = builder.Activation("y", {1, 4});
    FullyConnectedOptions options;
    options.keep_num_dims = c.keep_num_dims;
    builder.AddOp(OpKind::kFullyConnected, {x, w, b}, {y}, MakeFullyConnectedOptions(options));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(MinimalVersion(model.subgraphs[0], model.subgraphs[0].ops[0]), c.version);
  }
}

// {kind, version with int8, version with int16 activations}; data operand 0 and no options.
TEST(MinimalVersionTest, FollowsTheTypeOfTheActivations) {
  const std::tuple<OpKind, int, int> cases[] = {
      {OpKind::kAdd, 2, 3},         {OpKind::kSub, 2, 5},      {OpKind::kMul, 2, 4},        {OpKind::kMaxPool2d, 2, 3},
      {OpKind::kTranspose, 2, 5},   {OpKind::kGather, 2, 4},   {OpKind::kMaximum, 2, 4},    {OpKind::kLeakyRelu, 1, 2},
      {OpKind::kBroadcastTo, 3, 3}, {OpKind::kGatherNd, 1, 3}, {OpKind::kBatchMatmul, 2, 3}};
  for (const auto& [kind, int8, int16] : cases) {
    for (bool wide : {false, true}) {
      const TensorType type = wide ? TensorType::kInt16 : TensorType::kInt8;
      ModelBuilder builder;
      const TensorId x = builder.Activation("x", {1, 2}, type, PerTensor(0.1f, 0));
      builder.AddOp(kind, {x, x}, {builder.Activation("y", {1, 2}, type, PerTensor(0.1f, 0))});
      const Model model = builder.BuildUnverified();
      EXPECT_EQ(MinimalVersion(model.subgraphs[0], model.subgraphs[0].ops[0]), wide ? int16 : int8) << OpKindName(kind);
    }
  }
}

TEST(MinimalVersionTest, ConvolutionsByActivationsAndWeights) {
  struct Row {
    OpKind kind;
    TensorType data, weights;
    int32_t version;
  };
  constexpr auto k8 = TensorType::kInt8, k16 = TensorType::kInt16, k4 = TensorType::kInt4;
  for (const Row& row :
       {Row{OpKind::kConv2d, k8, k8, 3}, Row{OpKind::kConv2d, k8, k4, 7}, Row{OpKind::kConv2d, k16, k8, 3},
        Row{OpKind::kDepthwiseConv2d, k16, k8, 5}, Row{OpKind::kDepthwiseConv2d, k8, k4, 7}}) {
    ModelBuilder builder;
    const TensorId x = builder.Activation("x", {1, 2, 2, 4}, row.data, PerTensor(0.1f, 0)),
                   w = builder.Activation("w", {4, 1, 1, 4}, row.weights, PerChannel(4));
    const TensorId b = builder.Activation("b", {4}), y = builder.Activation("y", {1, 2, 2, 4}, row.data);
    builder.AddOp(row.kind, {x, w, b}, {y}, MakeConvOptions({}));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(MinimalVersion(model.subgraphs[0], model.subgraphs[0].ops[0]), row.version) << OpKindName(row.kind);
  }
}

TEST(MinimalVersionTest, Dequantize) {
  for (auto [type, scales, version] : {std::tuple{TensorType::kFloat16, 0, 3}, std::tuple{TensorType::kInt8, 1, 2},
                                       std::tuple{TensorType::kInt8, 4, 5}}) {
    ModelBuilder builder;
    const TensorId x = builder.Activation("x", {4, 2}, type, PerChannel(static_cast<size_t>(scales)));
    builder.AddOp(OpKind::kDequantize, {x}, {builder.Activation("y", {4, 2})});
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(MinimalVersion(model.subgraphs[0], model.subgraphs[0].ops[0]), version);
  }
}

}  // namespace
}  // namespace lathe
