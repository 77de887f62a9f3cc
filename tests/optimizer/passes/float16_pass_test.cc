#include "optimizer/passes/float16_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "optimizer/model/dump.h"
#include "optimizer/model/model_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

Model TwoConvolutions() {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 8, 8, 4});
  x = builder.Conv2d(x, 16, 3, 1);
  builder.Output(builder.Conv2d(x, 8, 3, 2));
  builder.AddSignature("serve");
  return builder.Build();
}

int64_t Count(const Model& model, OpKind kind) {
  int64_t count = 0;
  for (const Op& op : model.subgraphs[0].ops) count += op.kind == kind;
  return count;
}

TEST(Float16PassTest, StoresWeightsBehindDequantize) {
  const Model result = ExpectPassProperties(Float16Pass(), TwoConvolutions());
  EXPECT_EQ(Count(result, OpKind::kDequantize), 2);
  for (const Op& op : result.subgraphs[0].ops) {
    // A FLOAT16 tensor must not reach a compute operator: its kernel would read it as float32 past its end.
    if (op.kind == OpKind::kDequantize) continue;
    for (TensorId id : op.inputs) EXPECT_EQ(result.subgraphs[0].tensor(id).type, TensorType::kFloat32);
  }
}

TEST(Float16PassTest, TakesTheNearestValuesWhereBalanceIsNotAsked) {
  const Model original = TwoConvolutions();
  const Model nearest = ExpectPassProperties(Float16Pass(/*balanced=*/false), original);
  const Model balanced = ExpectPassProperties(Float16Pass(), original);
  EXPECT_EQ(DumpModel(nearest).size(), DumpModel(balanced).size());
  EXPECT_NE(DumpModel(nearest), DumpModel(balanced)) << "the digests of the constants differ";
}

TEST(Float16PassTest, LeavesSmallConstantsAlone) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 8}), 4, 1));
  const Model result = ExpectPassProperties(Float16Pass(), builder.Build());
  EXPECT_EQ(Count(result, OpKind::kDequantize), 0);
}

// 864 weights of 519,000.
TEST(Float16PassTest, LeavesKernelsOfFewWeightsAlone) {
  ModelBuilder builder;
  const TensorId hidden = builder.Conv2d(builder.Input("x", {1, 8, 8, 3}), 32, 3, 1);
  const TensorId y = builder.Activation("y", {1, 253});
  builder.AddOp(OpKind::kFullyConnected, {hidden, builder.RandomConstant("w", {253, 2048}, 2)}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(y);
  const Model result = ExpectPassProperties(Float16Pass(), builder.Build());
  ASSERT_EQ(Count(result, OpKind::kDequantize), 1);
  EXPECT_EQ(result.subgraphs[0].tensor(result.subgraphs[0].ops[1].inputs[0]).shape, (std::vector<int32_t>{253, 2048}));
}

TEST(Float16PassTest, SharedConstantGetsOneDequantize) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), w = builder.RandomConstant("w", {32, 32}, 5);
  const TensorId y = builder.Activation("y", {1, 32}), z = builder.Activation("z", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.AddOp(OpKind::kFullyConnected, {y, w, TensorId()}, {z}, MakeFullyConnectedOptions({}));
  builder.Output(z);
  EXPECT_EQ(Count(ExpectPassProperties(Float16Pass(), builder.Build()), OpKind::kDequantize), 1);
}

TEST(Float16PassTest, StoresDepthwiseFiltersAndBiasesThatSaveBytes) {
  ModelBuilder builder;
  builder.Output(builder.DepthwiseConv2d(builder.Input("x", {1, 8, 8, 128}), 3, 1));
  const Model model = builder.Build();
  const Model result = ExpectPassProperties(Float16Pass(), model);
  EXPECT_EQ(Count(result, OpKind::kDequantize), 2);
}

// The least constant that is stored makes the file smaller.
TEST(Float16PassTest, EachDequantizeSavesBytes) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 1, 96}), y = builder.Activation("y", {1, 1, 96});
  builder.AddOp(OpKind::kPrelu, {x, builder.RandomConstant("slopes", {1, 1, 96}, 1)}, {y});
  // Another layer's DEQUANTIZE brings the operator code.
  const TensorId z = builder.FullyConnected(y, 96, 1);
  builder.Output(z);
  Model both = builder.Build();
  PassContext context;
  Model one = both;
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kFloat16;
  Rule& rule = recipe.rules.emplace_back();
  rule.selector.index = 0;
  rule.skip = true;
  const auto table = SettingsTable::Resolve(one, recipe);
  ASSERT_TRUE(table.ok());
  for (size_t i = 0; i < one.subgraphs[0].ops.size(); ++i) one.subgraphs[0].ops[i].origin = static_cast<int>(i);
  ASSERT_TRUE(RunPass(Float16Pass(), both, context).ok());
  context.settings = &*table;
  ASSERT_TRUE(RunPass(Float16Pass(), one, context).ok());
  ASSERT_EQ(Count(both, OpKind::kDequantize), Count(one, OpKind::kDequantize) + 1);
  EXPECT_LT(SerializeModel(both)->size(), SerializeModel(one)->size());
}

TEST(Float16PassTest, NamesWeightsThatAreNotFinite) {
  std::vector<float> values(1024, 1);
  values[3] = std::nanf("");
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), w = builder.Constant("bad weights", {32, 32}, values);
  const TensorId y = builder.Activation("y", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, w, TensorId()}, {y}, MakeFullyConnectedOptions({}));
  builder.Output(y);
  Model model = builder.Build();
  PassContext context;
  const absl::Status status = RunPass(Float16Pass(), model, context).status();
  EXPECT_EQ(ReasonOf(status), "WEIGHTS_NOT_FINITE");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("bad weights"));
}

TEST(Float16PassTest, ClampedValuesAreNamed) {
  std::vector<float> values(32 * 32, 1);
  values[5] = 1e6f;
  values[6] = -65504;
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 32}), y = builder.Activation("y", {1, 32});
  builder.AddOp(OpKind::kFullyConnected, {x, builder.Constant("large", {32, 32}, values), TensorId()}, {y},
                MakeFullyConnectedOptions({}));
  builder.Output(y);
  Model model = builder.Build();
  PassContext context;
  const absl::StatusOr<Change> change = RunPass(Float16Pass(), model, context);
  ASSERT_TRUE(change.ok());
  ASSERT_EQ(change->warnings.size(), 1u);
  EXPECT_THAT(change->warnings[0], ::testing::HasSubstr("'large': 1 of 1024 values"));
}

TEST(Float16PassTest, ConstantsOfOtherSchemesStay) {
  const Model model = TwoConvolutions();
  Recipe recipe;
  recipe.quantize.scheme = Scheme::kFloat16;
  Rule& rule = recipe.rules.emplace_back();
  rule.selector.index = 1;
  rule.skip = true;
  const auto table = SettingsTable::Resolve(model, recipe);
  ASSERT_TRUE(table.ok());
  Model result = model;
  for (size_t i = 0; i < result.subgraphs[0].ops.size(); ++i) result.subgraphs[0].ops[i].origin = static_cast<int>(i);
  PassContext context;
  context.settings = &*table;
  ASSERT_TRUE(RunPass(Float16Pass(), result, context).ok());
  EXPECT_EQ(Count(result, OpKind::kDequantize), 1);
}

}  // namespace
}  // namespace lathe
