#include "optimizer/passes/weight_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_format.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;
using Place = IntegerConstant::Place;

QuantizeSettings Settings(Scheme scheme, int bits = 8, const std::string& granularity = "channel") {
  QuantizeSettings settings;
  settings.scheme = scheme;
  settings.weights.bits = bits;
  settings.weights.granularity = granularity;
  return settings;
}

WeightPlan PlanOf(const Model& model, const QuantizeSettings& settings, size_t op = 0) {
  return PlanWeights(model, model.subgraphs[0], model.subgraphs[0].ops[op], settings);
}

Model OneLayer(OpKind kind) {
  ModelBuilder builder;
  switch (kind) {
    case OpKind::kConv2d:
      builder.Output(builder.Conv2d(builder.Input("x", {1, 8, 8, 16}), 32, 3, 1));
      break;
    case OpKind::kDepthwiseConv2d:
      builder.Output(builder.DepthwiseConv2d(builder.Input("x", {1, 8, 8, 64}), 3, 1));
      break;
    case OpKind::kTransposeConv: {
      const TensorId shape = builder.Constant("shape", {4}, std::vector<int32_t>{1, 16, 16, 32});
      const TensorId w = builder.RandomConstant("w", {32, 3, 3, 16}, 1), y = builder.Activation("y", {1, 16, 16, 32});
      ConvOptions options;
      options.stride_h = options.stride_w = 2;
      builder.AddOp(kind, {shape, w, builder.Input("x", {1, 8, 8, 16})}, {y}, MakeTransposeConvOptions(options));
      builder.Output(y);
      break;
    }
    default:
      builder.Output(builder.FullyConnected(builder.Input("x", {1, 96}), 64, 1));
  }
  return builder.Build();
}

// The kernel of each cell was run: tests/executor/weight_schemes_test.cc.
TEST(PlanWeightsTest, TakesTheNextWiderWidthThatHasAKernel) {
  struct Cell {
    OpKind kind;
    int asked, planned;
    Place place;
  };
  const Cell cells[] = {
      {OpKind::kConv2d, 8, 8, Place::kOnOperator},
      {OpKind::kConv2d, 4, 4, Place::kOnOperator},
      {OpKind::kConv2d, 2, 4, Place::kOnOperator},
      {OpKind::kFullyConnected, 4, 4, Place::kOnOperator},
      {OpKind::kFullyConnected, 2, 2, Place::kOnOperator},
      {OpKind::kTransposeConv, 4, 8, Place::kOnOperator},
      {OpKind::kDepthwiseConv2d, 4, 8, Place::kBehindDequantize},
      {OpKind::kDepthwiseConv2d, 2, 8, Place::kBehindDequantize},
  };
  for (const Cell& cell : cells) {
    const WeightPlan plan = PlanOf(OneLayer(cell.kind), Settings(Scheme::kDynamicRange, cell.asked));
    ASSERT_EQ(plan.constants.size(), 1u) << plan.reason;
    EXPECT_EQ(plan.constants[0].bits, cell.planned) << OpKindName(cell.kind) << " " << cell.asked;
    EXPECT_EQ(plan.constants[0].place, cell.place);
    if (cell.asked != cell.planned) {
      EXPECT_THAT(plan.reason, HasSubstr(absl::StrFormat("no int%d kernel", cell.asked)));
    } else if (cell.place == Place::kOnOperator) {
      EXPECT_EQ(plan.reason, "");
    }
  }
}

TEST(PlanWeightsTest, WeightOnlyStandsBehindDequantizeInEveryWidth) {
  for (OpKind kind : {OpKind::kConv2d, OpKind::kFullyConnected, OpKind::kTransposeConv}) {
    for (int bits : {8, 4, 2}) {
      const WeightPlan plan = PlanOf(OneLayer(kind), Settings(Scheme::kWeightOnly, bits));
      ASSERT_EQ(plan.constants.size(), 1u);
      EXPECT_EQ(plan.constants[0].bits, bits);
      EXPECT_EQ(plan.constants[0].place, Place::kBehindDequantize);
    }
  }
}

TEST(PlanWeightsTest, BlocksNeedInt4FullyConnectedOnTheOperatorAndWholeBlocks) {
  QuantizeSettings settings = Settings(Scheme::kDynamicRange, 4, "block");
  const auto granularity = [&](OpKind kind) {
    const WeightPlan plan = PlanOf(OneLayer(kind), settings);
    EXPECT_EQ(plan.reason.empty(), plan.constants[0].granularity == ScaleGranularity::kBlock) << plan.reason;
    return plan.constants[0].granularity;
  };
  settings.weights.block_size = 32;
  EXPECT_EQ(granularity(OpKind::kFullyConnected), ScaleGranularity::kBlock);
  EXPECT_EQ(granularity(OpKind::kConv2d), ScaleGranularity::kChannel);
  settings.weights.block_size = 64;  // 96 columns
  EXPECT_EQ(granularity(OpKind::kFullyConnected), ScaleGranularity::kChannel);
  settings.weights.block_size = 32;
  settings.weights.bits = 8;
  EXPECT_EQ(granularity(OpKind::kFullyConnected), ScaleGranularity::kChannel);
  settings.weights.bits = 4;
  settings.scheme = Scheme::kWeightOnly;
  EXPECT_EQ(granularity(OpKind::kFullyConnected), ScaleGranularity::kChannel);
}

TEST(PlanWeightsTest, SmallestLayersKeepInt8) {
  ModelBuilder builder;
  TensorId x = builder.FullyConnected(builder.Input("x", {1, 256}), 256, 1);
  builder.Output(builder.FullyConnected(x, 8, 2));
  const Model model = builder.Build();
  for (Scheme scheme : {Scheme::kDynamicRange, Scheme::kWeightOnly}) {
    EXPECT_EQ(PlanOf(model, Settings(scheme, 4), 0).constants[0].bits, 4);
    const WeightPlan last = PlanOf(model, Settings(scheme, 4), 1);
    EXPECT_EQ(last.constants[0].bits, 8);
    EXPECT_THAT(last.reason, HasSubstr("smallest layers"));
    EXPECT_EQ(WhyOtherForm(model.subgraphs[0], model.subgraphs[0].ops[1], Settings(scheme, 4)), last.reason);
  }
}

Model Gather(std::vector<float> table, int32_t rows, int32_t columns) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, 8}, TensorType::kInt32);
  const TensorId y = builder.Activation("y", {1, 8, columns});
  builder.AddOp(OpKind::kGather, {builder.Constant("table", {rows, columns}, std::move(table)), ids}, {y},
                MakeGatherOptions(0));
  builder.Output(y);
  return builder.Build();
}

std::vector<float> Waves(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = std::sin(static_cast<float>(i * i % 1013));
  return values;
}

// 864 weights are a six-hundredth of 518,400.
TEST(PlanWeightsTest, FewWeightsStayFloatInDynamicRange) {
  const auto model = [](int32_t outputs) {
    ModelBuilder builder;
    const TensorId hidden = builder.Conv2d(builder.Input("x", {1, 8, 8, 3}), 32, 3, 1);
    const TensorId y = builder.Activation("y", {1, outputs});
    builder.AddOp(OpKind::kFullyConnected, {hidden, builder.RandomConstant("w", {outputs, 2048}, 2)}, {y},
                  MakeFullyConnectedOptions({}));
    builder.Output(y);
    return builder.Build();
  };
  const Model large = model(253), small = model(252);  // 518,144 and 516,096 further ones
  const WeightPlan kept = PlanOf(large, Settings(Scheme::kDynamicRange));
  EXPECT_TRUE(kept.constants.empty());
  EXPECT_THAT(kept.reason, HasSubstr("few weights"));
  EXPECT_EQ(PlanOf(large, Settings(Scheme::kDynamicRange), 1).constants.size(), 1u);
  EXPECT_EQ(PlanOf(small, Settings(Scheme::kDynamicRange)).constants.size(), 1u);
  EXPECT_EQ(PlanOf(large, Settings(Scheme::kWeightOnly)).constants.size(), 1u);
  EXPECT_EQ(PlanOf(large, Settings(Scheme::kDynamicRange, 4)).constants.size(), 1u);
  EXPECT_TRUE(AreFewWeights(large.subgraphs[0], large.subgraphs[0].tensor(large.subgraphs[0].ops[0].inputs[1])));
  EXPECT_FALSE(AreFewWeights(small.subgraphs[0], small.subgraphs[0].tensor(small.subgraphs[0].ops[0].inputs[1])));
}

TEST(PlanWeightsTest, TablesGetTheCoarsestFormThatKeepsTheirRowsApart) {
  const QuantizeSettings settings = Settings(Scheme::kDynamicRange);
  std::vector<float> table = Waves(256 * 64);
  const WeightPlan even = PlanOf(Gather(table, 256, 64), settings);
  ASSERT_EQ(even.constants.size(), 1u);
  EXPECT_EQ(even.constants[0].place, Place::kBeforeDequantize);
  EXPECT_TRUE(even.constants[0].asymmetric);
  // A constant in every entry: a zero point takes it in.
  for (float& entry : table) entry += 1;
  EXPECT_EQ(PlanOf(Gather(table, 256, 64), settings).constants[0].place, Place::kBeforeDequantize);
  // One row far larger than the others.
  table = Waves(256 * 64);
  for (size_t i = 0; i < 64; ++i) table[i] *= 200;
  const WeightPlan uneven = PlanOf(Gather(table, 256, 64), settings);
  ASSERT_EQ(uneven.constants.size(), 1u);
  EXPECT_EQ(uneven.constants[0].place, Place::kBehindDequantize);
  EXPECT_EQ(uneven.constants[0].granularity, ScaleGranularity::kChannel);
  // A large constant of its own beside the detail of every row.
  table = Waves(256 * 64);
  for (size_t i = 0; i < table.size(); ++i) table[i] += i / 64 % 2 == 0 ? 500.0f : -500.0f;
  const WeightPlan hidden = PlanOf(Gather(table, 256, 64), settings);
  EXPECT_TRUE(hidden.constants.empty());
  EXPECT_THAT(hidden.reason, HasSubstr("would lose"));
}

TEST(PlanWeightsTest, NarrowTablesGetAScaleForEachRow) {
  const WeightPlan plan = PlanOf(Gather(Waves(256 * 64), 256, 64), Settings(Scheme::kWeightOnly, 4));
  ASSERT_EQ(plan.constants.size(), 1u);
  EXPECT_EQ(plan.constants[0].bits, 4);
  EXPECT_EQ(plan.constants[0].place, Place::kBehindDequantize);
  // With 8 columns the scales would weigh more than int4 saves.
  EXPECT_EQ(PlanOf(Gather(Waves(256 * 8), 256, 8), Settings(Scheme::kWeightOnly, 4)).constants[0].bits, 8);
}

TEST(PlanWeightsTest, RecurrentKindsTakeAllTheirWeightsOrNone) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4, 32}), w = builder.RandomConstant("w", {48, 32}, 1);
  const TensorId r = builder.RandomConstant("r", {48, 48}, 2), b = builder.RandomConstant("b", {48}, 3);
  const TensorId state = builder.Activation("state", {1, 48}), y = builder.Activation("y", {1, 4, 48});
  builder.model().subgraphs[0].tensor(state).is_variable = true;
  builder.AddOp(OpKind::kUnidirectionalSequenceRnn, {x, w, r, b, state}, {y});
  builder.Output(y);
  Model model = builder.Build();
  const WeightPlan plan = PlanOf(model, Settings(Scheme::kDynamicRange));
  ASSERT_EQ(plan.constants.size(), 2u) << plan.reason;
  for (const IntegerConstant& constant : plan.constants) EXPECT_EQ(constant.granularity, ScaleGranularity::kTensor);
  EXPECT_THAT(PlanOf(model, Settings(Scheme::kDynamicRange, 4)).reason, HasSubstr("no int4 kernel"));
  const WeightPlan floats = PlanOf(model, Settings(Scheme::kWeightOnly));
  ASSERT_EQ(floats.constants.size(), 2u);
  EXPECT_EQ(floats.constants[0].place, Place::kBehindDequantize);
  EXPECT_THAT(PlanOf(model, Settings(Scheme::kWeightOnly, 4)).reason, HasSubstr("int8"));
  model.subgraphs[0].tensor(r).is_variable = true;
  EXPECT_TRUE(PlanOf(model, Settings(Scheme::kDynamicRange)).constants.empty());
}

TEST(PlanWeightsTest, BatchMatmulThatRepeatsItsRightOperandComputesInFloat) {
  for (int32_t batches : {1, 3}) {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", {batches, 5, 64}), y = builder.Activation("y", {batches, 5, 96});
    builder.AddOp(OpKind::kBatchMatmul, {x, builder.RandomConstant("w", {64, 96}, 1)}, {y}, MakeBatchMatmulOptions({}));
    builder.Output(y);
    const WeightPlan plan = PlanOf(builder.Build(), Settings(Scheme::kDynamicRange));
    ASSERT_EQ(plan.constants.size(), 1u);
    EXPECT_EQ(plan.constants[0].axis, 1);
    EXPECT_EQ(plan.constants[0].place, batches == 1 ? Place::kOnOperator : Place::kBehindDequantize);
  }
}

TEST(PlanWeightsTest, ConstantsOfElementwiseOperatorsNeedSizeAndDetail) {
  const auto plan = [](std::vector<int32_t> shape, std::vector<float> values) {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", shape), y = builder.Activation("y", shape);
    builder.AddOp(OpKind::kAdd, {x, builder.Constant("c", shape, std::move(values))}, {y}, MakeAddOptions());
    builder.Output(y);
    return PlanOf(builder.Build(), Settings(Scheme::kDynamicRange));
  };
  EXPECT_EQ(plan({32, 64}, Waves(2048)).constants.size(), 1u);
  EXPECT_TRUE(plan({8, 64}, Waves(512)).constants.empty());
  std::vector<float> outlier = Waves(2048);
  outlier[5] = 1e4f;
  EXPECT_TRUE(plan({32, 64}, outlier).constants.empty());
  std::vector<float> beside = Waves(2048);  // a large constant of its own for every other row
  for (size_t i = 0; i < beside.size(); ++i) beside[i] += i / 64 % 2 == 0 ? 500.0f : 0.0f;
  EXPECT_TRUE(plan({32, 64}, beside).constants.empty());
}

}  // namespace
}  // namespace lathe
