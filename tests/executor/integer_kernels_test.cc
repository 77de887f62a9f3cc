// Longer than 600 lines because its cases are one table.
//
// Every row of the integer rule table, for both widths, on the runtime: a model of one operator, quantized by the pass
// with the ranges of its own float run, against the float model on the same inputs. Inputs lie on the grid that
// QUANTIZE has, so that what is measured is the kernel alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <ostream>
#include <random>

#include "optimizer/model/schema_generated.h"
#include "optimizer/passes/full_integer_pass.h"
#include "optimizer/passes/integer_rules.h"
#include "runtime/interpreter.h"
#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

template <typename Table>
OpOptions Options(Table table) {
  auto holder = std::make_shared<tflite::BuiltinOptionsUnion>();
  holder->Set(std::move(table));
  OpOptions options;
  options.builtin = std::move(holder);
  return options;
}

// An operand: an input of the model with values in [low, high], a float constant drawn from there, or integers.
struct Operand {
  std::vector<int32_t> shape;
  float low = -1, high = 1;
  bool constant = false;
  std::vector<int32_t> integers = {};
  bool left_out = false;
  // Weights that int8 holds as they are, so that rounding them adds no error; whole numbers; truth values.
  // Indices: int32 values that the caller feeds.
  enum class Grid { kNone, kWeights, kWhole, kTruth, kIndices } grid = Grid::kNone;
};
Operand In(std::vector<int32_t> shape, float low = -3, float high = 5) { return {std::move(shape), low, high}; }
Operand Constant(std::vector<int32_t> shape, float low = -1, float high = 1) {
  return {std::move(shape), low, high, true};
}
Operand Ints(std::vector<int32_t> values) {
  const auto count = static_cast<int32_t>(values.size());
  return {{count}, 0, 0, true, std::move(values)};
}
Operand Weights(std::vector<int32_t> shape) {
  return {.shape = std::move(shape), .constant = true, .grid = Operand::Grid::kWeights};
}
Operand Indices(std::vector<int32_t> values) {
  Operand operand = Ints(std::move(values));
  operand.grid = Operand::Grid::kIndices;
  operand.constant = false;
  return operand;
}
Operand LeftOut() { return {{}, 0, 0, false, {}, true}; }

struct Case {
  std::string name;
  OpKind kind;
  std::vector<Operand> operands;
  std::vector<std::vector<int32_t>> results;
  OpOptions options = {};
  // Most quanta of the output between the runtime's result and float; negative: the operator must stay float.
  double quanta8 = 1, quanta16 = 1;
  TensorType result_type = TensorType::kFloat32;
  int32_t version = 1;  // of the float operator
};
void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

constexpr double kFloat = -1;

int32_t ElementsOf(const Operand& operand) {
  int32_t count = 1;
  for (int32_t dimension : operand.shape) count *= dimension;
  return count;
}

// Multiples of 1/127, of which every fifth is 1: each channel of a kernel holds the largest.
std::vector<float> WeightsOnGrid(const Operand& operand) {
  std::mt19937 random(11);
  std::uniform_int_distribution<int> levels(-127, 127);
  std::vector<float> weights(static_cast<size_t>(ElementsOf(operand)));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(i % 5 == 0 ? 127 : levels(random)) / 127.0f;
  return weights;
}

Model Build(const Case& test) {
  ModelBuilder builder;
  std::vector<TensorId> inputs, outputs;
  for (size_t i = 0; i < test.operands.size(); ++i) {
    const Operand& operand = test.operands[i];
    const std::string name = absl::StrFormat("operand%d", i);
    if (operand.left_out) {
      inputs.push_back(TensorId());
    } else if (operand.grid == Operand::Grid::kIndices) {
      inputs.push_back(builder.Input(name, operand.shape, TensorType::kInt32));
    } else if (operand.grid == Operand::Grid::kTruth) {
      std::vector<uint8_t> truth(static_cast<size_t>(ElementsOf(operand)));
      for (size_t j = 0; j < truth.size(); ++j) truth[j] = j % 3 == 0;
      inputs.push_back(builder.Constant(name, operand.shape, TensorType::kBool, truth));
    } else if (operand.grid == Operand::Grid::kWeights) {
      inputs.push_back(builder.Constant(name, operand.shape, WeightsOnGrid(operand)));
    } else if (!operand.integers.empty()) {
      inputs.push_back(builder.Constant(name, operand.shape, operand.integers));
    } else if (operand.constant) {
      inputs.push_back(
          builder.RandomConstant(name, operand.shape, static_cast<uint32_t>(i), operand.low, operand.high));
    } else {
      inputs.push_back(builder.Input(name, operand.shape));
    }
  }
  for (size_t i = 0; i < test.results.size(); ++i) {
    outputs.push_back(builder.Activation(absl::StrFormat("result%d", i), test.results[i], test.result_type));
  }
  builder.AddOp(test.kind, inputs, outputs, test.options, test.version);
  for (TensorId output : outputs) builder.Output(output);
  return builder.Build();
}

using Values = std::vector<std::vector<float>>;  // by input or output, in the model's order

// A tensor of any type, as float.
std::vector<float> AsFloats(const TensorInfo& info, absl::Span<const uint8_t> bytes) {
  std::vector<float> values(static_cast<size_t>(info.elements));
  for (size_t i = 0; i < values.size(); ++i) {
    switch (info.type) {
      case TensorType::kFloat32:
        std::memcpy(&values[i], bytes.data() + i * 4, 4);
        break;
      case TensorType::kInt32: {
        int32_t value;
        std::memcpy(&value, bytes.data() + i * 4, 4);
        values[i] = static_cast<float>(value);
        break;
      }
      default:
        values[i] = bytes[i];
    }
  }
  return values;
}

Values RunModel(const LoadedModel& loaded, const Values& inputs, InterpreterOptions::Kernels kernels) {
  InterpreterOptions options;
  options.kernels = kernels;
  auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), options);
  EXPECT_TRUE(interpreter.ok()) << interpreter.status();
  if (!interpreter.ok()) return {};
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(inputs[i].data());
    EXPECT_TRUE((*interpreter)->SetInput(i, {bytes, inputs[i].size() * 4}).ok());
  }
  const absl::Status status = (*interpreter)->Run();
  EXPECT_TRUE(status.ok()) << status;
  if (!status.ok()) return {};
  Values outputs;
  for (size_t i = 0; i < (*interpreter)->outputs().size(); ++i) {
    outputs.push_back(AsFloats((*interpreter)->outputs()[i], (*interpreter)->Output(i)));
  }
  return outputs;
}

Values DrawInputs(const Case& test) {
  std::mt19937 random(7);
  Values values;
  for (const Operand& operand : test.operands) {
    if (operand.constant || operand.left_out || operand.grid == Operand::Grid::kTruth) continue;
    std::vector<float>& drawn = values.emplace_back(static_cast<size_t>(ElementsOf(operand)));
    if (operand.grid == Operand::Grid::kIndices) {
      std::memcpy(drawn.data(), operand.integers.data(), drawn.size() * sizeof(float));
      continue;
    }
    std::uniform_real_distribution<float> uniform(operand.low, operand.high);
    for (float& value : drawn) {
      value = uniform(random);
      if (operand.grid == Operand::Grid::kWhole) value = std::nearbyint(value);
    }
  }
  return values;
}

RangeTable RangesOf(const Model& model, const Values& inputs, const Values& outputs) {
  RangeTable ranges;
  const auto merge = [&](TensorId id, const std::vector<float>& values) {
    const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
    ranges.Merge(id, *lo, *hi);
  };
  const Subgraph& graph = model.subgraphs[0];
  for (size_t i = 0; i < inputs.size(); ++i) merge(graph.inputs[i], inputs[i]);
  for (size_t i = 0; i < outputs.size(); ++i) merge(graph.outputs[i], outputs[i]);
  return ranges;
}

const Op* FindOp(const Model& model, OpKind kind, TensorId input) {
  for (const Op& op : model.subgraphs[0].ops) {
    if (op.kind == kind && op.input(0) == input) return &op;
  }
  return nullptr;
}

// Moves each input onto the grid of the QUANTIZE that reads it.
void RoundToGrid(const Model& quantized, Values& inputs) {
  const Subgraph& graph = quantized.subgraphs[0];
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Op* quantize = FindOp(quantized, OpKind::kQuantize, graph.inputs[i]);
    if (quantize == nullptr) continue;
    const Tensor& to = graph.tensor(quantize->outputs[0]);
    const float scale = to.quantization.scale[0], zero = static_cast<float>(to.quantization.zero_point[0]);
    const bool wide = to.type == TensorType::kInt16;
    for (float& value : inputs[i]) {
      const float q =
          std::clamp(std::nearbyint(value / scale) + zero, wide ? -32767.0f : -128.0f, wide ? 32767.0f : 127.0f);
      value = (q - zero) * scale;
    }
  }
}

// One quantum of each output: the scale that the operator writes; 1 for indices and truth values.
std::vector<double> QuantaOf(const Model& quantized) {
  std::vector<double> quanta;
  const Subgraph& graph = quantized.subgraphs[0];
  for (TensorId output : graph.outputs) {
    double quantum = 1;
    for (const Op& op : graph.ops) {
      if (op.kind == OpKind::kDequantize && op.outputs[0] == output) {
        quantum = static_cast<double>(graph.tensor(op.inputs[0]).quantization.scale[0]);
      }
    }
    quanta.push_back(quantum);
  }
  return quanta;
}

double LargestError(const Values& expected, const Values& got, const std::vector<double>& quanta) {
  double largest = 0;
  if (expected.size() != got.size()) return INFINITY;
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t j = 0; j < expected[i].size(); ++j) {
      const double error = std::fabs(static_cast<double>(expected[i][j]) - static_cast<double>(got[i][j]));
      largest = std::max(largest, std::isfinite(error) ? error / quanta[i] : INFINITY);
    }
  }
  return largest;
}

class IntegerKernelsTest : public ::testing::TestWithParam<Case> {
 protected:
  void Check(int bits, double quanta_max) {
    const Case& test = GetParam();
    const Model model = Build(test);
    const LoadedModel loaded = Loaded(model);
    Values inputs = DrawInputs(test);
    const RangeTable ranges =
        RangesOf(model, inputs, RunModel(loaded, inputs, InterpreterOptions::Kernels::kReference));

    QuantizeSettings settings;
    settings.scheme = Scheme::kFullInteger;
    settings.activations.bits = bits;
    const IntegerKernel kernel = bits == 16 ? FindIntegerRule(test.kind)->int16 : FindIntegerRule(test.kind)->int8;
    const bool usable = kernel == IntegerKernel::kSlow || kernel == IntegerKernel::kCoarse;
    if (usable) settings.require_full_integer = true;
    PassContext context;
    context.ranges = &ranges;
    Model quantized = model;
    const absl::StatusOr<Change> change = RunPass(FullIntegerPass(settings), quantized, context);
    if (quanta_max < 0) {
      EXPECT_TRUE(change.ok() && !change->changed());
      return;
    }
    ASSERT_TRUE(change.ok()) << change.status();
    ASSERT_EQ(change->count, 1);
    RoundToGrid(quantized, inputs);
    const Values expected = RunModel(loaded, inputs, InterpreterOptions::Kernels::kReference);
    const LoadedModel written = Loaded(quantized);
    for (auto kernels : {InterpreterOptions::Kernels::kDelegate, InterpreterOptions::Kernels::kBuiltin,
                         InterpreterOptions::Kernels::kReference}) {
      const double error = LargestError(expected, RunModel(written, inputs, kernels), QuantaOf(quantized));
      EXPECT_LE(error, quanta_max) << "kernels " << static_cast<int>(kernels);
      RecordProperty(absl::StrFormat("int%d_quanta_%d", bits, static_cast<int>(kernels)),
                     absl::StrFormat("%.2f", error));
    }
  }
};

TEST_P(IntegerKernelsTest, Int8) { Check(8, GetParam().quanta8); }
TEST_P(IntegerKernelsTest, Int16) { Check(16, GetParam().quanta16); }

std::vector<int32_t> Image() { return {1, 4, 4, 8}; }

Case Unary(OpKind kind, Operand operand, double quanta8 = 1, double quanta16 = 1, OpOptions options = {}) {
  const std::vector<int32_t> shape = operand.shape;
  return {std::string(OpKindName(kind)), kind, {std::move(operand)}, {shape}, std::move(options), quanta8, quanta16};
}

Case Binary(OpKind kind, OpOptions options = {}, double quanta8 = 1, double quanta16 = 1) {
  return {
      std::string(OpKindName(kind)), kind, {In(Image()), In(Image(), -2, 1)}, {Image()}, options, quanta8, quanta16};
}

std::vector<Case> WeightedCases() {
  ConvOptions conv;
  const std::vector<Operand> conv_operands = {In(Image()), Weights({6, 3, 3, 8}), Constant({6})};
  std::vector<Case> cases = {
      {"CONV_2D", OpKind::kConv2d, conv_operands, {{1, 4, 4, 6}}, MakeConvOptions(conv), 1, 1.1},
      {"DEPTHWISE_CONV_2D",
       OpKind::kDepthwiseConv2d,
       {In(Image()), Weights({1, 3, 3, 8}), Constant({8})},
       {Image()},
       MakeDepthwiseConvOptions({.depth_multiplier = 1})},
      {"TRANSPOSE_CONV",
       OpKind::kTransposeConv,
       {Ints({1, 8, 8, 6}), Weights({6, 3, 3, 8}), In(Image()), Constant({6})},
       {{1, 8, 8, 6}},
       MakeTransposeConvOptions({.stride_h = 2, .stride_w = 2})},
      {"TRANSPOSE_CONV_without_bias",
       OpKind::kTransposeConv,
       {Ints({1, 8, 8, 6}), Weights({6, 3, 3, 8}), In(Image())},
       {{1, 8, 8, 6}},
       MakeTransposeConvOptions({.stride_h = 2, .stride_w = 2})},
      {"FULLY_CONNECTED",
       OpKind::kFullyConnected,
       {In({2, 32}), Weights({10, 32}), Constant({10})},
       {{2, 10}},
       MakeFullyConnectedOptions({})},
      {"FULLY_CONNECTED_without_bias",
       OpKind::kFullyConnected,
       {In({2, 32}), Weights({10, 32}), LeftOut()},
       {{2, 10}},
       MakeFullyConnectedOptions({})},
      {"BATCH_MATMUL",
       OpKind::kBatchMatmul,
       {In({2, 4, 16}), In({2, 16, 6})},
       {{2, 4, 6}},
       MakeBatchMatmulOptions({}),
       1.1,
       1.1},
      {"BATCH_MATMUL_transposed",
       OpKind::kBatchMatmul,
       {In({2, 4, 16}), In({2, 6, 16})},
       {{2, 4, 6}},
       MakeBatchMatmulOptions({.adj_y = true})},
      {"BATCH_MATMUL_by_constant",
       OpKind::kBatchMatmul,
       {In({2, 4, 16}), Constant({2, 16, 6})},
       {{2, 4, 6}},
       MakeBatchMatmulOptions({})},
  };
  return cases;
}

std::vector<Case> ElementwiseCases() {
  const Operand positive = In(Image(), 0.5f, 4);
  return {
      Binary(OpKind::kAdd, MakeAddOptions()),
      Binary(OpKind::kSub, MakeSubOptions()),
      Binary(OpKind::kMul, MakeMulOptions()),
      Binary(OpKind::kSquaredDifference, {}, 1, kFloat),
      Binary(OpKind::kMaximum),
      Binary(OpKind::kMinimum),
      {"ADD_constant", OpKind::kAdd, {In(Image()), Constant({8})}, {Image()}, MakeAddOptions()},
      {"MUL_tiny_constant", OpKind::kMul, {In(Image()), Constant({1}, 1e-4f, 2e-4f)}, {Image()}, MakeMulOptions()},
      {"MAXIMUM_constant", OpKind::kMaximum, {In(Image()), Constant({1}, 0.5f, 0.6f)}, {Image()}},
      {"DIV", OpKind::kDiv, {In(Image()), positive}, {Image()}, Options(tflite::DivOptionsT()), kFloat, 1},
      Unary(OpKind::kRelu, In(Image())),
      Unary(OpKind::kRelu6, In(Image(), -3, 9)),
      Unary(OpKind::kReluN1To1, In(Image()), 1, kFloat),
      Unary(OpKind::kRelu0To1, In(Image()), 1, kFloat),
      Unary(OpKind::kLeakyRelu, In(Image()), 1, 1, MakeLeakyReluOptions(0.1f)),
      {"PRELU", OpKind::kPrelu, {In(Image()), Constant({1, 1, 8})}, {Image()}, {}, 1, kFloat},
      Unary(OpKind::kElu, In(Image()), 1, kFloat),
      Unary(OpKind::kHardSwish, In(Image()), 1.5, kFloat, Options(tflite::HardSwishOptionsT())),
      Unary(OpKind::kGelu, In(Image()), 1, 40, Options(tflite::GeluOptionsT())),
      Unary(OpKind::kAbs, In(Image())),
      Unary(OpKind::kNeg, In(Image()), kFloat, kFloat),
      Unary(OpKind::kExp, In(Image()), 1, 200),
      Unary(OpKind::kLog, positive, 1, 700),
      Unary(OpKind::kSqrt, positive, 1, 2),
      Unary(OpKind::kRsqrt, positive, 1, 700),
      Unary(OpKind::kLogistic, In(Image()), 1, 2),
      Unary(OpKind::kTanh, In(Image()), 1.5, 4),
      Unary(OpKind::kSoftmax, In({4, 16}), 1, 2, MakeSoftmaxOptions(1)),
      Unary(OpKind::kLogSoftmax, In({4, 16}), 1, kFloat),
      Unary(OpKind::kL2Normalization, In({4, 16}), 1, kFloat, Options(tflite::L2NormOptionsT())),
      {"SELECT_V2",
       OpKind::kSelectV2,
       {{.shape = Image(), .grid = Operand::Grid::kTruth}, In(Image()), In(Image(), -1, 9)},
       {Image()},
       {},
       0.001,
       0.001},
  };
}

std::vector<Case> ShapeCases() {
  PoolOptions pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  tflite::UnpackOptionsT unpack;
  unpack.num = 4, unpack.axis = 1;
  tflite::SplitOptionsT split;
  split.num_splits = 2;
  tflite::SplitVOptionsT split_v;
  split_v.num_splits = 2;
  tflite::PackOptionsT pack;
  pack.values_count = 2;
  tflite::SqueezeOptionsT squeeze;
  squeeze.squeeze_dims = {0};
  tflite::MirrorPadOptionsT mirror;
  mirror.mode = tflite::MirrorPadMode::REFLECT;
  tflite::SpaceToDepthOptionsT space;
  space.block_size = 2;
  tflite::ResizeBilinearOptionsT half_pixel;
  half_pixel.half_pixel_centers = true;
  const OpOptions strided = Options(tflite::StridedSliceOptionsT());
  const double kSame = 0.501;  // a raw copy: only the rounding of the reference
  return {
      {"AVERAGE_POOL_2D", OpKind::kAveragePool2d, {In(Image())}, {{1, 2, 2, 8}}, MakePoolOptions(pool)},
      {"MAX_POOL_2D", OpKind::kMaxPool2d, {In(Image())}, {{1, 2, 2, 8}}, MakePoolOptions(pool), kSame, kSame},
      {"MEAN", OpKind::kMean, {In(Image()), Ints({1, 2})}, {{1, 1, 1, 8}}, MakeReducerOptions(true), 1.1, 1.1},
      {"MEAN_last", OpKind::kMean, {In(Image()), Ints({3})}, {{1, 4, 4, 1}}, MakeReducerOptions(true), 1.1, 1.1},
      {"SUM", OpKind::kSum, {In(Image()), Ints({1, 2})}, {{1, 1, 1, 8}}, MakeReducerOptions(true)},
      {"REDUCE_MAX",
       OpKind::kReduceMax,
       {In(Image()), Ints({3})},
       {{1, 4, 4}},
       MakeReducerOptions(false),
       kSame,
       kSame},
      {"REDUCE_MIN",
       OpKind::kReduceMin,
       {In(Image()), Ints({3})},
       {{1, 4, 4}},
       MakeReducerOptions(false),
       kSame,
       kSame},
      {"RESHAPE",
       OpKind::kReshape,
       {In(Image()), Ints({1, 128})},
       {{1, 128}},
       MakeReshapeOptions({1, 128}),
       kSame,
       kSame},
      {"SQUEEZE", OpKind::kSqueeze, {In(Image())}, {{4, 4, 8}}, Options(squeeze), kSame, kSame},
      {"EXPAND_DIMS", OpKind::kExpandDims, {In(Image()), Ints({0})}, {{1, 1, 4, 4, 8}}, {}, kSame, kSame},
      {"TRANSPOSE", OpKind::kTranspose, {In(Image()), Ints({0, 3, 1, 2})}, {{1, 8, 4, 4}}, {}, kSame, kSame},
      {"SLICE",
       OpKind::kSlice,
       {In(Image()), Ints({0, 1, 1, 2}), Ints({1, 2, 2, 3})},
       {{1, 2, 2, 3}},
       {},
       kSame,
       kSame},
      {"STRIDED_SLICE",
       OpKind::kStridedSlice,
       {In(Image()), Ints({0, 0, 1, 0}), Ints({1, 4, 4, 8}), Ints({1, 2, 1, 3})},
       {{1, 2, 3, 3}},
       strided,
       kSame,
       kSame},
      {"GATHER", OpKind::kGather, {In(Image()), Ints({3, 0})}, {{1, 4, 4, 2}}, MakeGatherOptions(3), kSame, kSame},
      {"GATHER_ND", OpKind::kGatherNd, {In({6, 4}), {{2, 1}, 0, 0, true, {5, 2}}}, {{2, 4}}, {}, kSame, kSame},
      {"TILE", OpKind::kTile, {In({1, 4}), Ints({2, 3})}, {{2, 12}}, {}, kSame, kSame},
      {"REVERSE_V2", OpKind::kReverseV2, {In({2, 4}), Ints({1})}, {{2, 4}}, {}, kSame, kSame},
      {"BROADCAST_TO",
       OpKind::kBroadcastTo,
       {In({1, 4}), Ints({3, 4})},
       {{3, 4}},
       {},
       kSame,
       kSame,
       TensorType::kFloat32,
       2},
      {"PAD", OpKind::kPad, {In({1, 4}), {{2, 2}, 0, 0, true, {1, 0, 2, 1}}}, {{2, 7}}, {}, kSame, kSame},
      {"MIRROR_PAD",
       OpKind::kMirrorPad,
       {In({4, 4}), {{2, 2}, 0, 0, true, {1, 1, 2, 1}}},
       {{6, 7}},
       Options(mirror),
       kSame,
       kSame},
      {"PADV2",
       OpKind::kPadv2,
       {In({1, 4}), {{2, 2}, 0, 0, true, {1, 0, 2, 1}}, Constant({1}, -4, -3)},
       {{2, 7}},
       {},
       kSame,
       kSame},
      {"CONCATENATION",
       OpKind::kConcatenation,
       {In({2, 4}), In({2, 3}, -9, 1), Constant({2, 2})},
       {{2, 9}},
       MakeConcatenationOptions(1),
       kSame,
       kSame},
      {"PACK", OpKind::kPack, {In({2, 4}), In({2, 4}, -9, 1)}, {{2, 2, 4}}, Options(pack), kSame, kSame},
      {"UNPACK",
       OpKind::kUnpack,
       {In(Image())},
       {{1, 4, 8}, {1, 4, 8}, {1, 4, 8}, {1, 4, 8}},
       Options(unpack),
       kSame,
       kSame},
      {"SPLIT", OpKind::kSplit, {Ints({3}), In(Image())}, {{1, 4, 4, 4}, {1, 4, 4, 4}}, Options(split), kSame, kSame},
      {"SPLIT_V",
       OpKind::kSplitV,
       {In(Image()), Ints({3, 5}), Ints({3})},
       {{1, 4, 4, 3}, {1, 4, 4, 5}},
       Options(split_v),
       kSame,
       kSame},
      {"SPACE_TO_DEPTH", OpKind::kSpaceToDepth, {In(Image())}, {{1, 2, 2, 32}}, Options(space), kSame, kFloat},
      {"DEPTH_TO_SPACE",
       OpKind::kDepthToSpace,
       {In(Image())},
       {{1, 8, 8, 2}},
       MakeDepthToSpaceOptions(2),
       kSame,
       kFloat},
      {"SPACE_TO_BATCH_ND",
       OpKind::kSpaceToBatchNd,
       {In(Image()), Ints({2, 2}), {{2, 2}, 0, 0, true, {0, 0, 0, 0}}},
       {{4, 2, 2, 8}},
       {},
       kSame,
       kSame},
      {"BATCH_TO_SPACE_ND",
       OpKind::kBatchToSpaceNd,
       {In({4, 2, 2, 8}), Ints({2, 2}), {{2, 2}, 0, 0, true, {0, 0, 0, 0}}},
       {Image()},
       {},
       kSame,
       kSame},
      {"RESIZE_BILINEAR", OpKind::kResizeBilinear, {In(Image()), Ints({8, 8})}, {{1, 8, 8, 8}}, Options(half_pixel)},
      {"RESIZE_NEAREST_NEIGHBOR",
       OpKind::kResizeNearestNeighbor,
       {In(Image()), Ints({8, 8})},
       {{1, 8, 8, 8}},
       Options(tflite::ResizeNearestNeighborOptionsT()),
       kSame,
       kSame},
      {"DYNAMIC_UPDATE_SLICE",
       OpKind::kDynamicUpdateSlice,
       {In({4, 4}), In({2, 2}, -9, 1), Ints({1, 2})},
       {{4, 4}},
       {},
       kSame,
       kSame},
  };
}

// Tables are weights, int8 in either width; results of the others are no quantities, so every difference counts 1.
std::vector<Case> IndexCases() {
  tflite::ArgMaxOptionsT arg_max;
  arg_max.output_type = tflite::TensorType::INT32;
  tflite::ArgMinOptionsT arg_min;
  arg_min.output_type = tflite::TensorType::INT32;
  const auto compares = [](OpKind kind) {
    Case test = Binary(kind, {}, 0, 0);
    // Equal ranges give equal scales; then no rounding stands between the values and the answer.
    Operand whole = In(Image(), -2.4f, 2.4f);
    whole.grid = Operand::Grid::kWhole;
    test.operands = {whole, whole};
    test.result_type = TensorType::kBool;
    return test;
  };
  std::vector<Case> cases = {
      {"GATHER_from_table",
       OpKind::kGather,
       {Constant({16, 4}), Indices({3, 0, 15})},
       {{3, 4}},
       MakeGatherOptions(0),
       0.501,
       0.501},
      {"EMBEDDING_LOOKUP",
       OpKind::kEmbeddingLookup,
       {Indices({3, 0, 15}), Constant({16, 4})},
       {{3, 4}},
       {},
       0.501,
       0.501},
      {"ARG_MAX", OpKind::kArgMax, {In({4, 16}), Ints({1})}, {{4}}, Options(arg_max), 0, kFloat, TensorType::kInt32},
      {"ARG_MIN", OpKind::kArgMin, {In({4, 16}), Ints({1})}, {{4}}, Options(arg_min), 0, kFloat, TensorType::kInt32},
  };
  for (OpKind kind : {OpKind::kEqual, OpKind::kNotEqual, OpKind::kGreater, OpKind::kGreaterEqual, OpKind::kLess,
                      OpKind::kLessEqual}) {
    cases.push_back(compares(kind));
  }
  return cases;
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Weighted, IntegerKernelsTest, ::testing::ValuesIn(WeightedCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Elementwise, IntegerKernelsTest, ::testing::ValuesIn(ElementwiseCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Shape, IntegerKernelsTest, ::testing::ValuesIn(ShapeCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Index, IntegerKernelsTest, ::testing::ValuesIn(IndexCases()), NameOf);

}  // namespace
}  // namespace lathe
