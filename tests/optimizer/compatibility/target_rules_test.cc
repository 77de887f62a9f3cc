#include "optimizer/compatibility/target_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/operator_options.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// One operator on tensors of one type, int8 ones with a scale.
struct OneOperator {
  OpKind kind = OpKind::kRelu;
  TensorType type = TensorType::kFloat32;
  std::vector<int32_t> shape = {1, 4, 4, 8};
  OpOptions options = {};
  int32_t version = 1;
  std::vector<int32_t> result_shape = {};            // empty: `shape`
  std::vector<std::vector<int32_t>> constants = {};  // int32 operands after the data
};

Model Make(const OneOperator& one) {
  ModelBuilder builder;
  const Quantization grid =
      one.type == TensorType::kFloat32 || one.type == TensorType::kInt32 ? Quantization() : PerTensor(0.05f, 0);
  const TensorId input = builder.Input("in", one.shape, one.type);
  builder.model().subgraphs[0].tensor(input).quantization = grid;
  std::vector<TensorId> inputs = {input};
  for (const std::vector<int32_t>& values : one.constants) {
    inputs.push_back(builder.Constant("constant", {static_cast<int32_t>(values.size())}, values));
  }
  const TensorId output =
      builder.Activation("out", one.result_shape.empty() ? one.shape : one.result_shape, one.type, grid);
  builder.AddOp(one.kind, inputs, {output}, one.options, one.version);
  builder.Output(output);
  return builder.BuildUnverified();
}

std::string Why(std::string (*rules)(const OperatorView&), const OneOperator& one) {
  const Model model = Make(one);
  return rules({model, model.subgraphs[0], model.subgraphs[0].ops[0]});
}

TEST(XnnpackRulesTest, TypesDecide) {
  EXPECT_EQ(Why(WhyNotOnXnnpack, {.kind = OpKind::kRelu}), "");
  EXPECT_THAT(Why(WhyNotOnXnnpack, {.kind = OpKind::kRelu, .type = TensorType::kInt8}), HasSubstr("int8"));
  EXPECT_EQ(Why(WhyNotOnXnnpack, {.kind = OpKind::kLogistic, .type = TensorType::kInt8}), "");
  EXPECT_THAT(Why(WhyNotOnXnnpack, {.kind = OpKind::kGather}), HasSubstr("kind"));
}

TEST(XnnpackRulesTest, StridedSliceKeepsDimensionsAndStepsByOne) {
  const std::vector<int32_t> begin = {0, 0, 0, 0}, end = {1, 2, 4, 8}, one = {1, 1, 1, 1}, two = {1, 2, 1, 1};
  OneOperator slice{.kind = OpKind::kStridedSlice, .result_shape = {1, 2, 4, 8}, .constants = {begin, end, one}};
  EXPECT_EQ(Why(WhyNotOnXnnpack, slice), "");
  slice.constants[2] = two;
  EXPECT_THAT(Why(WhyNotOnXnnpack, slice), HasSubstr("strides"));
  slice.constants[2] = one;
  slice.result_shape = {2, 4, 8};
  EXPECT_THAT(Why(WhyNotOnXnnpack, slice), HasSubstr("dimensions"));
}

TEST(XnnpackRulesTest, ScalesFarApartAreNotTaken) {
  ModelBuilder builder;
  const TensorId a = builder.Input("a", {1, 8}, TensorType::kInt8);
  const TensorId out = builder.Activation("out", {1, 8}, TensorType::kInt8, PerTensor(0.001f, 0));
  builder.model().subgraphs[0].tensor(a).quantization = PerTensor(1.0f, 0);
  builder.AddOp(OpKind::kAdd, {a, a}, {out}, MakeAddOptions());
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnXnnpack({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), HasSubstr("scales"));
}

TEST(XnnpackRulesTest, Int8MatricesOnTheRightAreSymmetric) {
  for (const int64_t zero_point : {0, 3}) {
    ModelBuilder builder;
    const TensorId a = builder.Input("a", {1, 4, 8}, TensorType::kInt8),
                   b = builder.Input("b", {1, 8, 4}, TensorType::kInt8);
    const TensorId out = builder.Activation("out", {1, 4, 4}, TensorType::kInt8, PerTensor(0.05f, 0));
    builder.model().subgraphs[0].tensor(a).quantization = PerTensor(0.05f, 2);
    builder.model().subgraphs[0].tensor(b).quantization = PerTensor(0.05f, zero_point);
    builder.AddOp(OpKind::kBatchMatmul, {a, b}, {out}, MakeBatchMatmulOptions({}));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(WhyNotOnXnnpack({model, model.subgraphs[0], model.subgraphs[0].ops[0]}).empty(), zero_point == 0);
  }
}

TEST(GpuRulesTest, RanksVersionsAndTypesAreBounded) {
  EXPECT_EQ(Why(WhyNotOnGpu, {.kind = OpKind::kRelu}), "");
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kRelu, .shape = {1, 1, 4, 4, 8}}), HasSubstr("5 dimensions"));
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kRelu, .version = 3}), HasSubstr("version 3"));
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kRelu, .type = TensorType::kInt16}), HasSubstr("int16"));
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kTopkV2}), HasSubstr("kind"));
}

TEST(GpuRulesTest, VersionsAreThoseOfEachParser) {
  EXPECT_EQ(Why(WhyNotOnGpu, {.kind = OpKind::kTranspose, .version = 4, .constants = {{0, 2, 1, 3}}}), "");
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kExp, .version = 3}), HasSubstr("version 3"));
  EXPECT_EQ(Why(WhyNotOnGpu, {.kind = OpKind::kRelu0To1, .version = 2}), "");
  EXPECT_EQ(Why(WhyNotOnGpu, {.kind = OpKind::kSign}), "");
  EXPECT_THAT(Why(WhyNotOnGpu, {.kind = OpKind::kRound}), HasSubstr("kind"));
}

TEST(GpuRulesTest, ConstantsHaveAtMostFourDimensions) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 4, 4, 8}), wide = builder.RandomConstant("c", {1, 1, 1, 1, 8}, 1);
  builder.AddOp(OpKind::kConcatenation, {input, wide}, {builder.Activation("out", {1, 4, 4, 8})});
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), HasSubstr("5 dimensions"));
}

TEST(GpuRulesTest, SumsRepeatOperandsInAFewForms) {
  const auto why = [](const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
    ModelBuilder builder;
    const TensorId first = builder.Input("a", a), second = builder.Input("b", b);
    builder.AddOp(OpKind::kAdd, {first, second}, {builder.Activation("out", a)}, MakeAddOptions());
    const Model model = builder.BuildUnverified();
    return WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]});
  };
  EXPECT_EQ(why({1, 4, 4, 8}, {4, 4, 8}), "");
  EXPECT_EQ(why({1, 4, 8}, {8}), "");
  EXPECT_EQ(why({2, 4, 2, 8}, {2, 8}), "");
  EXPECT_THAT(why({1, 4, 8}, {4, 8}), HasSubstr("differ in rank"));
  EXPECT_THAT(why({2, 4, 4, 8}, {4, 4, 8}), HasSubstr("differ in rank"));
}

TEST(GpuRulesTest, StridedSlicesKeepTheirDimensions) {
  const std::vector<int32_t> begin = {0, 0, 0, 0}, end = {1, 2, 4, 8}, two = {1, 2, 1, 1}, back = {1, -1, 1, 1};
  OneOperator slice{.kind = OpKind::kStridedSlice, .result_shape = {1, 1, 4, 8}, .constants = {begin, end, two}};
  EXPECT_EQ(Why(WhyNotOnGpu, slice), "");
  slice.options = MakeStridedSliceOptions(2);
  EXPECT_THAT(Why(WhyNotOnGpu, slice), HasSubstr("drops"));
  slice.options = MakeStridedSliceOptions(0, 1);
  EXPECT_THAT(Why(WhyNotOnGpu, slice), HasSubstr("ellipsis"));
  slice.options = {};
  slice.constants[2] = back;
  EXPECT_THAT(Why(WhyNotOnGpu, slice), HasSubstr("backwards"));
}

// Weights and bias behind DEQUANTIZE, as float16 files have them: constants to the delegate, which takes no 3 computed
// ones.
TEST(GpuRulesTest, PaddingReflects) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 4, 4, 8}),
                 paddings = builder.Constant("paddings", {4, 2}, std::vector<int32_t>{0, 0, 1, 1, 1, 1, 0, 0});
  for (const bool symmetric : {false, true}) {
    builder.AddOp(OpKind::kMirrorPad, {input, paddings}, {builder.Activation("out", {1, 6, 6, 8})},
                  MakeMirrorPadOptions(symmetric));
  }
  const Model model = builder.BuildUnverified();
  EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), "");
  EXPECT_THAT(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[1]}), HasSubstr("SYMMETRIC"));
}

// Weights and bias behind DEQUANTIZE, as float16 files have them: constants to the delegate, which takes no 3 computed
// ones.
TEST(GpuRulesTest, Float16ConstantsBehindDequantizeAreConstants) {
  for (const TensorType type : {TensorType::kFloat16, TensorType::kInt8}) {
    ModelBuilder builder;
    const TensorId input = builder.Input("in", {1, 8});
    std::vector<TensorId> inputs = {input};
    for (const std::vector<int32_t>& shape : {std::vector<int32_t>{4, 8}, {4}}) {
      const size_t bytes = (shape.size() == 2 ? 32 : 4) * (type == TensorType::kFloat16 ? 2u : 1u);
      const TensorId stored = builder.Constant("stored", shape, type, std::vector<uint8_t>(bytes), PerTensor(0.1f, 0));
      inputs.push_back(builder.Activation("unpacked", shape));
      builder.AddOp(OpKind::kDequantize, {stored}, {inputs.back()});
    }
    builder.AddOp(OpKind::kFullyConnected, inputs, {builder.Activation("out", {1, 4})}, MakeFullyConnectedOptions({}));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[2]}).empty(),
              type == TensorType::kFloat16);
  }
}

TEST(GpuRulesTest, TruthValuesStayBetweenAComparisonAndACast) {
  for (const bool output : {false, true}) {
    ModelBuilder builder;
    const TensorId a = builder.Input("a", {1, 8}), b = builder.Input("b", {1, 8});
    const TensorId truth = builder.Activation("truth", {1, 8}, TensorType::kBool),
                   made = builder.Activation("made", {1, 8});
    builder.AddOp(OpKind::kLess, {a, b}, {truth});
    if (!output) builder.AddOp(OpKind::kCast, {truth}, {made});
    builder.AddOp(OpKind::kRelu, {made}, {builder.Activation("out", {1, 8})});
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}).empty(), !output);
    EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[1]}), "");
  }
}

TEST(GpuRulesTest, DepthMultipliersAreTaken) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 4, 4, 8}), weights = builder.RandomConstant("w", {1, 1, 1, 16}, 1);
  builder.AddOp(OpKind::kDepthwiseConv2d, {input, weights}, {builder.Activation("out", {1, 4, 4, 16})},
                MakeDepthwiseConvOptions({.depth_multiplier = 2}));
  const Model model = builder.BuildUnverified();
  EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), "");
}

TEST(GpuRulesTest, DynamicShapesAreNotTaken) {
  Model model = Make({.kind = OpKind::kRelu});
  model.subgraphs[0].tensors[0].shape_signature = {-1, 4, 4, 8};  // the batch may be
  EXPECT_EQ(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), "");
  model.subgraphs[0].tensors[0].shape_signature = {1, -1, 4, 8};
  EXPECT_THAT(WhyNotOnGpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), HasSubstr("dynamic"));
}

TEST(EdgeTpuRulesTest, OnlyEightBits) {
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kRelu, .type = TensorType::kInt8}), "");
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kRelu, .type = TensorType::kUint8}), "");
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kRelu}), HasSubstr("float32"));
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kRelu, .type = TensorType::kInt16}), HasSubstr("int16"));
}

TEST(EdgeTpuRulesTest, LimitsOfItsTable) {
  constexpr TensorType kType = TensorType::kInt8;
  EXPECT_THAT(
      Why(WhyNotOnEdgeTpu,
          {.kind = OpKind::kMaxPool2d, .type = kType, .options = MakePoolOptions({.activation = Activation::kRelu})}),
      HasSubstr("fused"));
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kMaxPool2d, .type = kType, .options = MakePoolOptions({})}), "");
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kSoftmax, .type = kType, .shape = {1, 10}}), "");
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kSoftmax, .type = kType, .shape = {1, 4, 10}}),
              HasSubstr("more than one dimension"));
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kSoftmax, .type = kType, .shape = {1, 16'001}}),
              HasSubstr("16,000"));
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kMean, .type = kType, .constants = {{0}}}), HasSubstr("batch"));
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kMean, .type = kType, .constants = {{1}}}), "");
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kRelu, .type = kType, .shape = {2, 4, 4, 8}}),
              HasSubstr("dimensions"));
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kHardSwish, .type = kType}), HasSubstr("kind"));
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kPack, .type = kType, .options = MakePackOptions(1, 0)}),
              HasSubstr("batch"));
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kPack, .type = kType, .options = MakePackOptions(1, 1)}), "");
}

TEST(EdgeTpuRulesTest, StridedSlicesHaveNoEllipsisAndNoNewAxis) {
  const std::vector<int32_t> begin = {0, 0, 0, 0}, end = {1, 2, 4, 8}, one = {1, 1, 1, 1};
  OneOperator slice{.kind = OpKind::kStridedSlice, .type = TensorType::kInt8, .constants = {begin, end, one}};
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, slice), "");
  slice.options = MakeStridedSliceOptions(1);
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, slice), "");
  slice.options = MakeStridedSliceOptions(0, 1);
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, slice), HasSubstr("ellipsis"));
  slice.options = MakeStridedSliceOptions(0, 0, 1);
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, slice), HasSubstr("adds"));
}

TEST(EdgeTpuRulesTest, VersionsThatItsCompilerCannotRead) {
  EXPECT_EQ(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kQuantize, .type = TensorType::kInt8, .version = 2}), "");
  EXPECT_THAT(Why(WhyNotOnEdgeTpu, {.kind = OpKind::kQuantize, .type = TensorType::kInt8, .version = 3}),
              HasSubstr("version 3"));
}

TEST(EdgeTpuRulesTest, WeightsAreConstant) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8}, TensorType::kInt8),
                 weights = builder.Input("w", {4, 8}, TensorType::kInt8);
  for (TensorId id : {input, weights}) builder.model().subgraphs[0].tensor(id).quantization = PerTensor(0.1f, 0);
  const TensorId output = builder.Activation("out", {1, 4}, TensorType::kInt8, PerTensor(0.1f, 0));
  builder.AddOp(OpKind::kFullyConnected, {input, weights}, {output}, MakeFullyConnectedOptions({}));
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnEdgeTpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}),
              HasSubstr("operand 1 is not a constant"));
}

TEST(MicrocontrollerRulesTest, KernelsTypesAndHybrids) {
  EXPECT_EQ(Why(WhyNotOnMicrocontroller, {.kind = OpKind::kRelu, .type = TensorType::kInt8}), "");
  EXPECT_EQ(Why(WhyNotOnMicrocontroller, {.kind = OpKind::kRelu}), "");
  EXPECT_THAT(Why(WhyNotOnMicrocontroller, {.kind = OpKind::kHardSwish, .type = TensorType::kInt16}),
              HasSubstr("int16"));
  EXPECT_THAT(Why(WhyNotOnMicrocontroller, {.kind = OpKind::kGelu}), HasSubstr("kind"));
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8});
  const TensorId weights =
      builder.Constant("w", {4, 8}, TensorType::kInt8, std::vector<uint8_t>(32), PerTensor(0.1f, 0));
  const TensorId output = builder.Activation("out", {1, 4});
  builder.AddOp(OpKind::kFullyConnected, {input, weights}, {output}, MakeFullyConnectedOptions({}));
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}),
              HasSubstr("int8 weights"));
}

TEST(MicrocontrollerRulesTest, TypesAreThoseOfTheKernels) {
  const auto why = [](OpKind kind, TensorType type) {
    return Why(WhyNotOnMicrocontroller, {.kind = kind, .type = type});
  };
  EXPECT_EQ(why(OpKind::kReduceAll, TensorType::kBool), "");
  EXPECT_EQ(why(OpKind::kEqual, TensorType::kBool), "");
  EXPECT_THAT(why(OpKind::kGreater, TensorType::kBool), HasSubstr("bool"));
  EXPECT_THAT(why(OpKind::kLess, TensorType::kInt16), HasSubstr("int16"));
  EXPECT_THAT(why(OpKind::kTranspose, TensorType::kInt32), HasSubstr("int32"));
  EXPECT_THAT(why(OpKind::kConcatenation, TensorType::kUint8), HasSubstr("uint8"));
  EXPECT_EQ(why(OpKind::kReshape, TensorType::kFloat16), "");
  EXPECT_THAT(why(OpKind::kReshape, TensorType::kString), HasSubstr("string"));
  EXPECT_THAT(why(OpKind::kCast, TensorType::kInt64), HasSubstr("int64"));
  EXPECT_EQ(why(OpKind::kVarHandle, TensorType::kResource), "");
}

TEST(MicrocontrollerRulesTest, OperandsThatMakeShapesAreConstant) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 4, 4, 8}), order = builder.Input("order", {4}, TensorType::kInt32);
  const TensorId output = builder.Activation("out", {1, 4, 4, 8});
  builder.AddOp(OpKind::kTranspose, {input, order}, {output});
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}),
              HasSubstr("operand 1 is not a constant"));
  const std::vector<int32_t> fixed = {0, 2, 1, 3};
  EXPECT_EQ(Why(WhyNotOnMicrocontroller, {.kind = OpKind::kTranspose, .constants = {fixed}}), "");
  EXPECT_THAT(
      Why(WhyNotOnMicrocontroller, {.kind = OpKind::kTranspose, .shape = {1, 1, 1, 1, 2, 2}, .constants = {fixed}}),
      HasSubstr("6 dimensions"));
}

TEST(MicrocontrollerRulesTest, OneGridForWhatIsJoined) {
  for (const float scale : {0.05f, 0.1f}) {
    ModelBuilder builder;
    const TensorId a = builder.Input("a", {1, 8}, TensorType::kInt8), b = builder.Input("b", {1, 8}, TensorType::kInt8);
    builder.model().subgraphs[0].tensor(a).quantization = PerTensor(0.05f, 0);
    builder.model().subgraphs[0].tensor(b).quantization = PerTensor(scale, 0);
    const TensorId out = builder.Activation("out", {1, 16}, TensorType::kInt8, PerTensor(0.05f, 0));
    builder.AddOp(OpKind::kConcatenation, {a, b}, {out}, MakeConcatenationOptions(1));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}).empty(), scale == 0.05f);
  }
}

TEST(MicrocontrollerRulesTest, ScalesByChannelAreReadAsOne) {
  ModelBuilder builder;
  const TensorId weights = builder.Input("w", {2, 8}, TensorType::kInt8);
  Quantization grid = PerTensor(0.1f, 0);
  grid.scale.push_back(0.2f);
  grid.zero_point.push_back(0);
  builder.model().subgraphs[0].tensor(weights).quantization = grid;
  builder.AddOp(OpKind::kDequantize, {weights}, {builder.Activation("out", {2, 8})});
  const Model model = builder.BuildUnverified();
  EXPECT_THAT(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), HasSubstr("by channel"));
}

TEST(MicrocontrollerRulesTest, ADepthwiseBiasIsThereOrHasNoOperand) {
  for (const bool empty : {false, true}) {
    ModelBuilder builder;
    const TensorId input = builder.Input("in", {1, 4, 4, 8});
    std::vector<TensorId> inputs = {input, builder.RandomConstant("w", {1, 1, 1, 8}, 1)};
    if (empty) inputs.push_back(TensorId());
    const TensorId output = builder.Activation("out", {1, 4, 4, 8});
    builder.AddOp(OpKind::kDepthwiseConv2d, inputs, {output}, MakeDepthwiseConvOptions({}));
    const Model model = builder.BuildUnverified();
    EXPECT_EQ(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}).empty(), !empty);
  }
}

TEST(MicrocontrollerRulesTest, TheDataDecidesNotWhatChoosesFromIt) {
  ModelBuilder builder;
  const TensorId table = builder.Constant("table", {4, 2}, std::vector<float>(8)),
                 rows = builder.Input("rows", {3}, TensorType::kInt32);
  builder.AddOp(OpKind::kGather, {table, rows}, {builder.Activation("out", {3, 2})}, MakeGatherOptions(0));
  const Model model = builder.BuildUnverified();
  EXPECT_EQ(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), "");
}

TEST(MicrocontrollerRulesTest, CustomOperatorsWithAKernel) {
  Model model = Make({.kind = OpKind::kCustom});
  for (const auto& [code, known] : {std::pair("SignalRfft", true), {"TFLM_DECODE", true}, {"Mine", false}}) {
    model.subgraphs[0].ops[0].custom_code = code;
    EXPECT_EQ(WhyNotOnMicrocontroller({model, model.subgraphs[0], model.subgraphs[0].ops[0]}).empty(), known) << code;
  }
}

TEST(CpuRulesTest, CustomOperatorsNeedTheirKernel) {
  Model model = Make({.kind = OpKind::kCustom});
  model.subgraphs[0].ops[0].custom_code = "Mine";
  EXPECT_THAT(WhyNotOnCpu({model, model.subgraphs[0], model.subgraphs[0].ops[0]}), HasSubstr("'Mine'"));
  EXPECT_EQ(Why(WhyNotOnCpu, {.kind = OpKind::kGather}), "");
}

TEST(TargetRulesTest, SourcesAreNamed) {
  for (const auto* sources : {&CpuSources(), &GpuSources(), &EdgeTpuSources(), &MicrocontrollerSources()}) {
    EXPECT_FALSE(sources->empty());
  }
}

}  // namespace
}  // namespace lathe
