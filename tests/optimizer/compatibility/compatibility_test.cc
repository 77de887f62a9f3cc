#include "optimizer/compatibility/compatibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CheckTargetTest, SharesCountOperatorsAndMultiplyAdds) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8, 8, 4});
  const TensorId conv = builder.Conv2d(input, 4, 3, 1);
  const TensorId indices = builder.Constant("indices", {1}, std::vector<int32_t>{0});
  const TensorId gathered = builder.Activation("gathered", {1, 1, 8, 4});
  builder.AddOp(OpKind::kGather, {conv, indices}, {gathered}, MakeGatherOptions(1));
  builder.Output(gathered);
  const Model model = builder.Build();
  const CompatibilityReport cpu = CheckTarget(model, Target::kCpu);
  EXPECT_EQ(cpu.target, "cpu");
  EXPECT_EQ(cpu.operators, 2);
  EXPECT_EQ(cpu.accepted_operators, 1);
  EXPECT_DOUBLE_EQ(cpu.operator_share, 0.5);
  EXPECT_EQ(cpu.macs, 8u * 8 * 4 * 9 * 4);
  EXPECT_DOUBLE_EQ(cpu.mac_share, 1);
  EXPECT_TRUE(cpu.compatible);  // the runtime's own kernel gathers
  EXPECT_THAT(cpu.reasons, ElementsAre(HasSubstr("1 x GATHER")));
  EXPECT_FALSE(CheckTarget(model, Target::kEdgeTpu).compatible);
}

TEST(CheckTargetTest, TheCpuLacksKernelsForCustomOperators) {
  ModelBuilder builder;
  const TensorId input = builder.Input("in", {1, 8});
  const TensorId output = builder.Activation("out", {1, 8});
  builder.AddOp(OpKind::kCustom, {input}, {output});
  builder.model().subgraphs[0].ops[0].custom_code = "Mine";
  builder.Output(output);
  EXPECT_FALSE(CheckTarget(builder.Build(), Target::kCpu).compatible);
}

TEST(CheckTargetTest, TheEdgeTpuStopsAtTheFirstOperatorThatItRefuses) {
  ModelBuilder builder;
  const auto activation = [&](const std::string& name) {
    return builder.Activation(name, {1, 4, 4, 8}, TensorType::kInt8, PerTensor(0.1f, 0));
  };
  const TensorId input = builder.Input("in", {1, 4, 4, 8});
  const TensorId a = activation("a"), b = activation("b"), c = activation("c"), d = activation("d");
  builder.AddOp(OpKind::kQuantize, {input}, {a});
  builder.AddOp(OpKind::kRelu, {a}, {b}, {}, 2);
  builder.AddOp(OpKind::kHardSwish, {b}, {c});
  builder.AddOp(OpKind::kRelu, {c}, {d}, {}, 2);
  builder.Output(d);
  const CompatibilityReport tpu = CheckTarget(builder.Build(), Target::kEdgeTpu);
  ASSERT_EQ(tpu.rows.size(), 4u);
  EXPECT_FALSE(tpu.rows[0].accepted);  // converts on the CPU, before anything: cuts nothing off
  EXPECT_TRUE(tpu.rows[1].accepted);
  EXPECT_FALSE(tpu.rows[2].accepted);
  EXPECT_FALSE(tpu.rows[3].accepted);
  EXPECT_THAT(tpu.rows[3].reason, HasSubstr("operator 2 HARD_SWISH"));
}

TEST(CheckTargetTest, XnnpackUnpacksConstantsOnlyForItself) {
  for (const OpKind reader : {OpKind::kAdd, OpKind::kGather}) {
    ModelBuilder builder;
    const TensorId half = builder.Constant("half", {1, 2}, TensorType::kFloat16, std::vector<uint8_t>(4));
    const TensorId floats = builder.Activation("floats", {1, 2});
    builder.AddOp(OpKind::kDequantize, {half}, {floats});
    const bool gathers = reader == OpKind::kGather;
    const TensorId input = builder.Input("in", {1, 2}, gathers ? TensorType::kInt32 : TensorType::kFloat32);
    const TensorId output =
        builder.Activation("out", gathers ? std::vector<int32_t>{1, 1, 2, 2} : std::vector<int32_t>{1, 2});
    builder.AddOp(reader, {floats, input}, {output}, gathers ? MakeGatherOptions(1) : MakeAddOptions());
    builder.Output(output);
    EXPECT_EQ(CheckTarget(builder.Build(), Target::kCpu).rows[0].accepted, !gathers);
  }
}

TEST(CheckTargetTest, ModelsWithoutOperatorsRunEverywhere) {
  ModelBuilder builder;
  builder.Output(builder.Input("in", {1}));
  const Model model = builder.Build();
  for (Target target : kTargets) {
    const CompatibilityReport report = CheckTarget(model, target);
    EXPECT_TRUE(report.compatible);
    EXPECT_DOUBLE_EQ(report.operator_share, 1);
    EXPECT_DOUBLE_EQ(report.mac_share, 1);
  }
}

}  // namespace
}  // namespace lathe
