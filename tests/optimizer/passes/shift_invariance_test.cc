#include "optimizer/passes/shift_invariance.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"
#include "tests/support/residual_stream.h"

namespace lathe {
namespace {

// Whether the tensor that `stream` starts from may be shifted.
bool IsFree(ModelBuilder builder, TensorId tensor) {
  const Model model = builder.Build();
  const UseMap uses(model.subgraphs[0]);
  return ShiftInvariance(model, SubgraphId(0), uses).IsFree(tensor);
}

struct Stream {
  ModelBuilder builder;
  TensorId x = builder.Activation("x", {4, 8});
  Stream() { builder.AddOp(OpKind::kRelu, {builder.Input("in", {4, 8})}, {x}); }
  TensorId Unary(OpKind kind, TensorId from, std::vector<int32_t> shape, OpOptions options = {}) {
    const TensorId to = builder.Activation("u", std::move(shape));
    builder.AddOp(kind, {from}, {to}, std::move(options));
    return to;
  }
  void Normalise(TensorId tensor) { builder.Output(AddLayerNormalisation(builder, tensor)); }
};

TEST(ShiftInvarianceTest, LayerNormalisationTakesAShiftAway) {
  Stream stream;
  stream.Normalise(stream.x);
  EXPECT_TRUE(IsFree(std::move(stream.builder), stream.x));
}

TEST(ShiftInvarianceTest, ResidualSumsAndReshapesHandItOn) {
  Stream stream;
  const TensorId shaped = stream.builder.Activation("shaped", {2, 2, 8}),
                 sum = stream.builder.Activation("sum", {2, 2, 8});
  stream.builder.AddOp(OpKind::kReshape, {stream.x}, {shaped}, MakeReshapeOptions({2, 2, 8}));
  stream.builder.AddOp(OpKind::kSub, {shaped, stream.builder.RandomConstant("c", {8}, 1)}, {sum}, MakeSubOptions());
  stream.Normalise(shaped);
  stream.Normalise(sum);
  EXPECT_TRUE(IsFree(std::move(stream.builder), stream.x));
}

TEST(ShiftInvarianceTest, AnyOtherReaderHoldsIt) {
  for (OpKind kind : {OpKind::kRelu, OpKind::kLogistic, OpKind::kRsqrt}) {
    Stream stream;
    stream.Normalise(stream.x);
    stream.builder.Output(stream.Unary(kind, stream.x, {4, 8}));
    EXPECT_FALSE(IsFree(std::move(stream.builder), stream.x)) << OpKindName(kind);
  }
}

TEST(ShiftInvarianceTest, MatrixThatReadsTheStreamBesideTheNormalisationHoldsIt) {
  Stream stream;
  stream.Normalise(stream.x);
  stream.builder.Output(stream.builder.FullyConnected(stream.x, 3, 5));
  EXPECT_FALSE(IsFree(std::move(stream.builder), stream.x));
}

TEST(ShiftInvarianceTest, OutputsAndWhatReachesThemHoldIt) {
  Stream output;
  output.Normalise(output.x);
  output.builder.Output(output.x);
  EXPECT_FALSE(IsFree(std::move(output.builder), output.x));

  Stream sum;
  const TensorId y = sum.builder.Activation("y", {4, 8});
  sum.builder.AddOp(OpKind::kAdd, {sum.x, sum.builder.RandomConstant("c", {8}, 1)}, {y}, MakeAddOptions());
  sum.builder.Output(y);
  EXPECT_FALSE(IsFree(std::move(sum.builder), sum.x));
}

TEST(ShiftInvarianceTest, MeanThatIsReadElsewhereHoldsIt) {
  Stream stream;
  stream.Normalise(stream.x);
  const Model& model = stream.builder.model();
  TensorId mean;
  for (const Op& op : model.subgraphs[0].ops) {
    if (op.kind == OpKind::kMean && op.inputs[0] == stream.x) mean = op.outputs[0];
  }
  stream.builder.Output(stream.Unary(OpKind::kAbs, mean, {4, 1}));
  EXPECT_FALSE(IsFree(std::move(stream.builder), stream.x));
}

TEST(ShiftInvarianceTest, MeansOverOtherAxesAndActivationsHoldIt) {
  Stream rows;
  rows.builder.Output(AddLayerNormalisation(rows.builder, rows.x, {.axis = 0}));
  EXPECT_FALSE(IsFree(std::move(rows.builder), rows.x));

  Stream fused;
  const TensorId y = fused.builder.Activation("y", {4, 8});
  fused.builder.AddOp(OpKind::kAdd, {fused.x, fused.builder.RandomConstant("c", {8}, 1)}, {y},
                      MakeAddOptions(Activation::kRelu));
  fused.Normalise(y);
  EXPECT_FALSE(IsFree(std::move(fused.builder), fused.x));
}

TEST(ShiftInvarianceTest, ReshapeThatMixesChannelsHoldsIt) {
  Stream stream;
  const TensorId shaped = stream.builder.Activation("shaped", {8, 4});
  stream.builder.AddOp(OpKind::kReshape, {stream.x}, {shaped}, MakeReshapeOptions({8, 4}));
  stream.Normalise(shaped);
  EXPECT_FALSE(IsFree(std::move(stream.builder), stream.x));
}

}  // namespace
}  // namespace lathe
