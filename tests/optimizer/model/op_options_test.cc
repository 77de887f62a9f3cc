#include "optimizer/model/op_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Op OpWith(OpKind kind, OpOptions options) {
  Op op;
  op.kind = kind;
  op.options = std::move(options);
  return op;
}

TEST(OpOptionsTest, ConvolutionsComeBackAsMade) {
  const ConvOptions options{.same_padding = false,
                            .stride_h = 2,
                            .stride_w = 3,
                            .dilation_h = 4,
                            .dilation_w = 5,
                            .activation = Activation::kRelu6,
                            .quantized_bias_type = TensorType::kInt64};
  EXPECT_EQ(GetConvOptions(OpWith(OpKind::kConv2d, MakeConvOptions(options))), options);

  ConvOptions depthwise = options;
  depthwise.depth_multiplier = 7;
  depthwise.quantized_bias_type = TensorType::kFloat32;
  EXPECT_EQ(GetConvOptions(OpWith(OpKind::kDepthwiseConv2d, MakeDepthwiseConvOptions(depthwise))), depthwise);

  ConvOptions transpose = options;
  transpose.dilation_h = transpose.dilation_w = 1;
  EXPECT_EQ(GetConvOptions(OpWith(OpKind::kTransposeConv, MakeTransposeConvOptions(transpose))), transpose);
}

TEST(OpOptionsTest, FullyConnectedPoolAndMatmulComeBackAsMade) {
  const FullyConnectedOptions fc{.activation = Activation::kRelu,
                                 .default_weights_format = false,
                                 .keep_num_dims = true,
                                 .asymmetric_quantize_inputs = true,
                                 .quantized_bias_type = TensorType::kInt32};
  EXPECT_EQ(GetFullyConnectedOptions(OpWith(OpKind::kFullyConnected, MakeFullyConnectedOptions(fc))), fc);
  const PoolOptions pool{.same_padding = false,
                         .stride_h = 2,
                         .stride_w = 3,
                         .filter_h = 4,
                         .filter_w = 5,
                         .activation = Activation::kReluN1To1};
  EXPECT_EQ(GetPoolOptions(OpWith(OpKind::kMaxPool2d, MakePoolOptions(pool))), pool);
  const BatchMatmulOptions matmul{.adj_x = true, .adj_y = false, .asymmetric_quantize_inputs = true};
  EXPECT_EQ(GetBatchMatmulOptions(OpWith(OpKind::kBatchMatmul, MakeBatchMatmulOptions(matmul))), matmul);
}

TEST(OpOptionsTest, SingleFieldsComeBackAsMade) {
  EXPECT_EQ(GetSoftmaxBeta(OpWith(OpKind::kSoftmax, MakeSoftmaxOptions(0.5F))), 0.5F);
  EXPECT_EQ(GetConcatenationAxis(OpWith(OpKind::kConcatenation, MakeConcatenationOptions(-1))), -1);
  EXPECT_EQ(GetKeepDims(OpWith(OpKind::kMean, MakeReducerOptions(true))), true);
  EXPECT_EQ(GetGatherAxis(OpWith(OpKind::kGather, MakeGatherOptions(2))), 2);
  EXPECT_EQ(GetBlockSize(OpWith(OpKind::kDepthToSpace, MakeDepthToSpaceOptions(4))), 4);
  EXPECT_EQ(GetLeakyReluAlpha(OpWith(OpKind::kLeakyRelu, MakeLeakyReluOptions(0.25F))), 0.25F);
}

TEST(OpOptionsTest, AnotherKindOfOptionsIsNotMisread) {
  const Op add = OpWith(OpKind::kConv2d, MakeAddOptions());
  EXPECT_EQ(GetConvOptions(add), std::nullopt);
  EXPECT_EQ(GetPoolOptions(add), std::nullopt);
  EXPECT_EQ(GetSoftmaxBeta(Op()), std::nullopt);
}

TEST(OpOptionsTest, FusedActivationAcrossKinds) {
  EXPECT_EQ(FusedActivation(OpWith(OpKind::kAdd, MakeAddOptions(Activation::kRelu))), Activation::kRelu);
  EXPECT_EQ(FusedActivation(OpWith(OpKind::kSub, MakeSubOptions(Activation::kTanh))), Activation::kTanh);
  EXPECT_EQ(FusedActivation(OpWith(OpKind::kSoftmax, MakeSoftmaxOptions(1))), Activation::kNone);
  EXPECT_EQ(FusedActivation(Op()), Activation::kNone);
}

TEST(OpOptionsTest, ChangesLeaveTheOriginalAlone) {
  const Op op = OpWith(OpKind::kFullyConnected, MakeFullyConnectedOptions({.keep_num_dims = true}));
  const Op changed = OpWith(OpKind::kFullyConnected, WithAsymmetricQuantizeInputs(op, true));
  EXPECT_TRUE(AsymmetricQuantizeInputs(changed));
  EXPECT_TRUE(GetFullyConnectedOptions(changed)->keep_num_dims);
  EXPECT_FALSE(AsymmetricQuantizeInputs(op));
  const Op relu = OpWith(OpKind::kFullyConnected, WithFusedActivation(op, Activation::kRelu));
  EXPECT_EQ(FusedActivation(relu), Activation::kRelu);
  EXPECT_EQ(FusedActivation(op), Activation::kNone);
}

TEST(OpOptionsTest, NamesTheSubgraphsAnOperatorRuns) {
  EXPECT_THAT(ReferencedSubgraphs(OpWith(OpKind::kIf, MakeIfOptions(SubgraphId(1), SubgraphId(2)))),
              ElementsAre(SubgraphId(1), SubgraphId(2)));
  EXPECT_THAT(ReferencedSubgraphs(OpWith(OpKind::kWhile, MakeWhileOptions(SubgraphId(3), SubgraphId(4)))),
              ElementsAre(SubgraphId(3), SubgraphId(4)));
  EXPECT_THAT(ReferencedSubgraphs(OpWith(OpKind::kCallOnce, MakeCallOnceOptions(SubgraphId(5)))),
              ElementsAre(SubgraphId(5)));
  EXPECT_THAT(ReferencedSubgraphs(OpWith(OpKind::kAdd, MakeAddOptions())), IsEmpty());
}

TEST(OpOptionsTest, SameMeansEqualFieldsNotEqualPointers) {
  EXPECT_TRUE(SameOptions(MakeSoftmaxOptions(1), MakeSoftmaxOptions(1)));
  EXPECT_FALSE(SameOptions(MakeSoftmaxOptions(1), MakeSoftmaxOptions(2)));
  EXPECT_FALSE(SameOptions(MakeAddOptions(), MakeMulOptions()));
  EXPECT_TRUE(SameOptions({}, {}));
  OpOptions custom;
  custom.custom = {1, 2};
  EXPECT_FALSE(SameOptions(custom, {}));
}

}  // namespace
}  // namespace lathe
