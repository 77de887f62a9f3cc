// The clean-up passes against the runtime: what they make computes what the input computed.

#include <gmock/gmock.h>

#include <algorithm>
#include <initializer_list>

#include "optimizer/model/model_writer.h"
#include "optimizer/passes/drop_unused_pass.h"
#include "optimizer/passes/fold_constants_pass.h"
#include "optimizer/passes/fold_scales_pass.h"
#include "optimizer/passes/share_constants_pass.h"
#include "optimizer/passes/subtract_residual_constants_pass.h"
#include "runtime/compare.h"
#include "runtime/synthetic_samples.h"
#include "tests/support/model_builder.h"
#include "tests/support/residual_stream.h"

namespace lathe {
namespace {

// SQNR that a relative error of 1e-5 leaves; the reference's own rounding is about 130 dB away.
constexpr double kFoldedDb = 100;

// The least SQNR of any output of `after` against `before`, on 16 samples uniform in [0, 1].
double LeastDb(const Model& before, const Model& after) {
  const absl::StatusOr<std::string> a = SerializeModel(before), b = SerializeModel(after);
  const auto bytes = [](const std::string& text) {
    return absl::MakeSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  auto samples = SyntheticSamples::Make(before, {});
  EXPECT_TRUE(a.ok() && b.ok() && samples.ok());
  const auto errors = CompareOutputs(before, bytes(*a), after, bytes(*b), **samples, {});
  EXPECT_TRUE(errors.ok()) << errors.status();
  double least = 200;
  if (!errors.ok()) return 0;
  for (const OutputError& error : *errors) least = std::min(least, error.sqnr_db.value_or(200));
  return least;
}

Model After(const Pass& pass, Model model) {
  PassContext context;
  const absl::StatusOr<Change> change = RunPass(pass, model, context);
  EXPECT_TRUE(change.ok()) << change.status();
  return model;
}

// A network of layers with elementwise operators by random constants between them.
class Network {
 public:
  explicit Network(uint32_t seed) : seed_(seed), x_(builder_.Input("x", {1, 9, 9, 6})) {}

  Network& Elementwise(OpKind kind, int32_t channels, bool constant_first = false) {
    const TensorId y = builder_.Activation("e" + std::to_string(++seed_), shape());
    const TensorId c = builder_.RandomConstant("c" + std::to_string(seed_), {channels}, seed_, 0.5f, 2);
    OpOptions options = kind == OpKind::kMul   ? MakeMulOptions()
                        : kind == OpKind::kAdd ? MakeAddOptions()
                        : kind == OpKind::kSub ? MakeSubOptions()
                                               : OpOptions();
    builder_.AddOp(kind, constant_first ? std::vector{c, x_} : std::vector{x_, c}, {y}, std::move(options));
    x_ = y;
    return *this;
  }
  Network& Unary(OpKind kind) {
    const TensorId y = builder_.Activation("u" + std::to_string(++seed_), shape());
    builder_.AddOp(kind, {x_}, {y});
    x_ = y;
    return *this;
  }
  Network& Conv(int32_t filters, int32_t kernel, const ConvOptions& options = {}) {
    x_ = builder_.Conv2d(x_, filters, kernel, seed_ += 10, options);
    return *this;
  }
  Network& Depthwise(const ConvOptions& options = {}) {
    x_ = builder_.DepthwiseConv2d(x_, 3, seed_ += 10, options);
    return *this;
  }
  Network& TransposeConv(int32_t filters) {
    const std::vector<int32_t> in = shape(), out = {1, in[1] * 2, in[2] * 2, filters};
    const TensorId y = builder_.Activation("t" + std::to_string(++seed_), out);
    builder_.AddOp(OpKind::kTransposeConv,
                   {builder_.Constant("out", {4}, out),
                    builder_.RandomConstant("tw" + std::to_string(seed_), {filters, 3, 3, in[3]}, seed_), x_},
                   {y}, MakeTransposeConvOptions({.same_padding = true, .stride_h = 2, .stride_w = 2}));
    x_ = y;
    return *this;
  }
  Network& Matrix(int32_t units) {
    x_ = builder_.FullyConnected(x_, units, seed_ += 10);
    return *this;
  }
  Model Build() {
    builder_.Output(x_);
    return builder_.Build();
  }

 private:
  std::vector<int32_t> shape() { return builder_.model().subgraphs[0].tensor(x_).shape; }
  ModelBuilder builder_;
  uint32_t seed_;
  TensorId x_;
};

// Folds and compares; expects `ops` operators to be left.
void ExpectFolds(Network network, size_t ops) {
  const Model model = network.Build();
  const Model folded = After(FoldScalesPass(), model);
  EXPECT_EQ(folded.subgraphs[0].ops.size(), ops);
  EXPECT_GE(LeastDb(model, folded), kFoldedDb);
}

TEST(CleanUpTest, ScalesAfterConvolutionsFold) {
  for (uint32_t seed = 100; seed < 400; seed += 100) {
    ExpectFolds(Network(seed).Conv(8, 3).Elementwise(OpKind::kMul, 8).Elementwise(OpKind::kAdd, 8).Unary(OpKind::kRelu),
                1);
    ExpectFolds(
        Network(seed).Depthwise().Elementwise(OpKind::kDiv, 6).Elementwise(OpKind::kSub, 1).Unary(OpKind::kRelu6), 1);
    ExpectFolds(Network(seed).Conv(8, 3).Elementwise(OpKind::kSub, 8, true).Depthwise().Elementwise(OpKind::kMul, 8),
                2);
    ExpectFolds(Network(seed).TransposeConv(5).Elementwise(OpKind::kMul, 5).Elementwise(OpKind::kAdd, 5), 1);
    ExpectFolds(Network(seed).Matrix(12).Elementwise(OpKind::kMul, 12).Elementwise(OpKind::kSub, 12), 1);
  }
}

TEST(CleanUpTest, ScalesBeforeConvolutionsFoldWhereNoPaddingIsRead) {
  for (uint32_t seed = 100; seed < 400; seed += 100) {
    ExpectFolds(Network(seed).Elementwise(OpKind::kMul, 6).Conv(8, 3), 1);
    ExpectFolds(Network(seed).Elementwise(OpKind::kDiv, 6).Elementwise(OpKind::kMul, 1).Depthwise(), 1);
    ExpectFolds(Network(seed).Elementwise(OpKind::kAdd, 6).Conv(8, 3, {.same_padding = false}), 1);
    ExpectFolds(Network(seed).Elementwise(OpKind::kSub, 6, true).Elementwise(OpKind::kMul, 6).Conv(8, 1), 1);
    ExpectFolds(Network(seed).Elementwise(OpKind::kAdd, 6).Depthwise({.same_padding = false}), 1);
    ExpectFolds(Network(seed).Elementwise(OpKind::kMul, 6).TransposeConv(4), 1);
    ExpectFolds(Network(seed).Matrix(9).Unary(OpKind::kTanh).Elementwise(OpKind::kSub, 9).Matrix(4), 3);
    ExpectFolds(Network(seed).Elementwise(OpKind::kAdd, 6).Conv(8, 3), 2);  // reads padding: stays
  }
}

TEST(CleanUpTest, DilatedAndStridedConvolutionsFold) {
  ExpectFolds(Network(7)
                  .Elementwise(OpKind::kMul, 6)
                  .Conv(8, 3, {.dilation_h = 2, .dilation_w = 2})
                  .Elementwise(OpKind::kAdd, 8),
              1);
  ExpectFolds(Network(8).Elementwise(OpKind::kAdd, 6).Conv(8, 1, {.stride_h = 2, .stride_w = 2}), 1);
}

TEST(CleanUpTest, ConstantSubgraphsComputeWhatTheRuntimeComputes) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 6, 5});
  const auto constant = [&](const char* name, std::vector<int32_t> shape, uint32_t seed) {
    return builder.RandomConstant(name, std::move(shape), seed, 0.25f, 3);
  };
  const auto step = [&](OpKind kind, std::vector<TensorId> inputs, std::vector<int32_t> shape, OpOptions options = {}) {
    const TensorId y = builder.Activation(std::string(OpKindName(kind)), std::move(shape));
    builder.AddOp(kind, std::move(inputs), {y}, std::move(options));
    return y;
  };
  TensorId c = step(OpKind::kAdd, {constant("a", {5, 1}, 1), constant("b", {6}, 2)}, {5, 6}, MakeAddOptions());
  c = step(OpKind::kRsqrt, {c}, {5, 6});
  c = step(OpKind::kTranspose, {c, builder.Constant("p", {2}, std::vector<int32_t>{1, 0})}, {6, 5});
  c = step(OpKind::kDiv, {c, constant("d", {5}, 3)}, {6, 5});
  c = step(OpKind::kSub, {c, constant("e", {6, 1}, 4)}, {6, 5}, MakeSubOptions(Activation::kRelu6));
  c = step(OpKind::kReshape, {c, builder.Constant("s", {3}, std::vector<int32_t>{1, 6, 5})}, {1, 6, 5},
           MakeReshapeOptions({1, 6, 5}));
  TensorId y = step(OpKind::kMul, {x, c}, {1, 6, 5}, MakeMulOptions());
  TensorId n = step(OpKind::kNeg, {step(OpKind::kSqrt, {constant("f", {5}, 5)}, {5})}, {5});
  y = step(OpKind::kAdd, {y, n}, {1, 6, 5}, MakeAddOptions());
  builder.Output(y);
  const Model model = builder.Build();
  const Model folded = After(FoldConstantsPass({}), model);
  EXPECT_EQ(folded.subgraphs[0].ops.size(), 2u);
  EXPECT_GE(LeastDb(model, folded), 120);
}

TEST(CleanUpTest, ConstantsOfResidualStreamsAreSubtractedExactly) {
  const Constants variants[] = {{.embedding = 30},
                                {.position = -30},
                                {.bias = 15},
                                {.embedding = 30, .bias = 15},
                                {.embedding = 40, .per_token = true}};
  for (const Constants& variant : variants) {
    const Model model = SmallTransformer(variant);
    const Model result = After(SubtractResidualConstantsPass(), model);
    // 1e-4 relative. The model with the constant is itself that far from the exact result: its sums round at 2^-24 of
    // a stream that is 30 times wider. So the one without must be closer to the model that never had the constant.
    EXPECT_GE(LeastDb(model, result), 80);
    EXPECT_GE(LeastDb(SmallTransformer({}), result), LeastDb(SmallTransformer({}), model) - 1);
  }
}

TEST(CleanUpTest, ModelWithNothingToCleanUpKeepsItsWeightsWhereTheyLie) {
  const Model model = Network(3).Conv(32, 3).Unary(OpKind::kTanh).Conv(16, 3).Build();
  const FoldConstantsPass fold_constants({});
  const FoldScalesPass fold_scales;
  const SubtractResidualConstantsPass subtract;
  const DropUnusedPass drop;
  const ShareConstantsPass share;
  Model result = model;
  for (const Pass* pass : std::initializer_list<const Pass*>{&fold_constants, &fold_scales, &subtract, &drop, &share}) {
    result = After(*pass, std::move(result));
  }
  ASSERT_EQ(result.buffers.size(), model.buffers.size());
  for (size_t i = 0; i < model.buffers.size(); ++i) {
    EXPECT_EQ(result.buffers[i].bytes().data(), model.buffers[i].bytes().data()) << "buffer " << i << " was copied";
  }
}

}  // namespace
}  // namespace lathe
