// The schemes that need no data, one operator at a time: what optimizer/passes/integer_weights_pass.cc and
// float16_pass.cc write is run by the real runtime, with and without XNNPACK, and compared with the float model's
// result.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <tuple>

#include "optimizer/passes/artifact_checks.h"
#include "optimizer/passes/float16_pass.h"
#include "optimizer/passes/integer_weights_pass.h"
#include "runtime/compare.h"
#include "runtime/interpreter.h"
#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using Kernels = InterpreterOptions::Kernels;
using Mode = IntegerWeightsPass::Mode;

// Normal floats or row numbers below 61, the same for each call.
std::vector<uint8_t> InputBytes(const TensorInfo& input) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<uint8_t> bytes(input.size_bytes);
  for (int64_t i = 0; i < input.elements; ++i) {
    if (input.type == TensorType::kFloat32) {
      const float value = normal(random);
      memcpy(bytes.data() + i * 4, &value, 4);
    } else {
      const auto row = static_cast<int32_t>(random() % 61);
      memcpy(bytes.data() + i * 4, &row, 4);
    }
  }
  return bytes;
}

std::vector<float> RunModel(const Model& model, Kernels kernels) {
  const LoadedModel loaded = Loaded(model);
  InterpreterOptions options;
  options.kernels = kernels;
  auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), options);
  EXPECT_TRUE(interpreter.ok()) << interpreter.status();
  if (!interpreter.ok()) return {};
  EXPECT_TRUE((*interpreter)->ResetState().ok());
  for (size_t i = 0; i < (*interpreter)->inputs().size(); ++i) {
    EXPECT_TRUE((*interpreter)->SetInput(i, InputBytes((*interpreter)->inputs()[i])).ok());
  }
  const absl::Status status = (*interpreter)->Run();
  EXPECT_TRUE(status.ok()) << status;
  const absl::Span<const uint8_t> bytes = (*interpreter)->Output(0);
  std::vector<float> values(bytes.size() / 4);
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

double SqnrOf(const std::vector<float>& reference, const std::vector<float>& result) {
  if (reference.size() != result.size()) return -1;
  double signal = 0, noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    signal += double{reference[i]} * reference[i];
    noise += (double{reference[i]} - result[i]) * (double{reference[i]} - result[i]);
  }
  return noise == 0 ? 200 : 10 * std::log10(signal / noise);
}

enum class Layer {
  kConv,
  kDepthwise,
  kTransposeConv,
  kFullyConnected,
  kBatchMatmul,
  kBatchMatmulTransposed,
  kBatchMatmulRepeated,
  kEmbedding,
  kGather,
  kAdd,
  kLstm,
  kSequenceLstm,
  kRnn,
  kSequenceRnn,
  kSvdf
};

// Operands of an LSTM with peepholes and projection: 96 inputs, 48 cells, 24 outputs.
std::vector<TensorId> LstmOperands(ModelBuilder& builder, TensorId x) {
  std::vector<TensorId> operands(24);
  operands[0] = x;
  const auto constant = [&](size_t operand, std::vector<int32_t> shape, float size) {
    operands[operand] = builder.RandomConstant(absl::StrFormat("w%d", operand), std::move(shape),
                                               static_cast<uint32_t>(operand), -size, size);
  };
  for (size_t gate = 1; gate <= 4; ++gate) constant(gate, {48, 96}, 0.2f);
  for (size_t gate = 5; gate <= 8; ++gate) constant(gate, {48, 24}, 0.2f);
  for (size_t gate = 9; gate <= 15; ++gate) constant(gate, {48}, 0.3f);
  constant(16, {24, 48}, 0.3f);
  constant(17, {24}, 0.3f);
  operands[18] = builder.Activation("output_state", {1, 24});
  operands[19] = builder.Activation("cell_state", {1, 48});
  for (size_t state : {18u, 19u}) builder.model().subgraphs[0].tensor(operands[state]).is_variable = true;
  return operands;
}

void AddRecurrent(ModelBuilder& builder, Layer layer) {
  const bool sequence = layer == Layer::kSequenceLstm || layer == Layer::kSequenceRnn;
  const std::vector<int32_t> in = sequence ? std::vector<int32_t>{1, 6, 96} : std::vector<int32_t>{1, 96};
  const TensorId x = builder.Input("x", in);
  const auto output = [&](int32_t units) {
    return builder.Activation("y", sequence ? std::vector<int32_t>{1, 6, units} : std::vector<int32_t>{1, units});
  };
  TensorId y;
  if (layer == Layer::kLstm || layer == Layer::kSequenceLstm) {
    y = output(24);
    if (sequence) {
      builder.AddOp(OpKind::kUnidirectionalSequenceLstm, LstmOperands(builder, x), {y},
                    MakeRecurrentOptions(OpKind::kUnidirectionalSequenceLstm, Activation::kTanh));
    } else {
      builder.AddOp(OpKind::kLstm, LstmOperands(builder, x), {y},
                    MakeRecurrentOptions(OpKind::kLstm, Activation::kTanh));
    }
  } else if (layer == Layer::kSvdf) {
    const TensorId features = builder.RandomConstant("features", {96, 96}, 1);
    const TensorId time = builder.RandomConstant("time", {96, 8}, 2), bias = builder.RandomConstant("b", {48}, 3);
    const TensorId state = builder.Activation("state", {1, 8 * 96});
    builder.model().subgraphs[0].tensor(state).is_variable = true;
    y = output(48);
    builder.AddOp(OpKind::kSvdf, {x, features, time, bias, state}, {y},
                  MakeRecurrentOptions(OpKind::kSvdf, Activation::kNone, 2));
  } else {
    const TensorId w = builder.RandomConstant("w", {48, 96}, 1, -0.2f, 0.2f);
    const TensorId r = builder.RandomConstant("r", {48, 48}, 2, -0.2f, 0.2f), b = builder.RandomConstant("b", {48}, 3);
    const TensorId state = builder.Activation("state", {1, 48});
    builder.model().subgraphs[0].tensor(state).is_variable = true;
    y = output(48);
    const OpKind kind = sequence ? OpKind::kUnidirectionalSequenceRnn : OpKind::kRnn;
    builder.AddOp(kind, {x, w, r, b, state}, {y}, MakeRecurrentOptions(kind, Activation::kTanh));
  }
  builder.Output(y);
}

void AddBatchMatmul(ModelBuilder& builder, Layer layer) {
  const int32_t batches = layer == Layer::kBatchMatmulRepeated ? 3 : 1;
  const bool transposed = layer == Layer::kBatchMatmulTransposed;
  const TensorId x = builder.Input("x", {batches, 5, 64}), y = builder.Activation("y", {batches, 5, 96});
  const TensorId w =
      builder.RandomConstant("w", transposed ? std::vector<int32_t>{96, 64} : std::vector<int32_t>{64, 96}, 1);
  builder.AddOp(OpKind::kBatchMatmul, {x, w}, {y}, MakeBatchMatmulOptions({.adj_y = transposed}));
  builder.Output(y);
}

// One operator large enough for every scheme to pay. Odd sizes show padding errors of packed weights.
Model Build(Layer layer) {
  ModelBuilder builder;
  switch (layer) {
    case Layer::kConv:
      builder.Output(builder.Conv2d(builder.Input("x", {1, 7, 7, 15}), 33, 3, 1));
      break;
    case Layer::kDepthwise:
      builder.Output(builder.DepthwiseConv2d(builder.Input("x", {1, 8, 8, 64}), 3, 1));
      break;
    case Layer::kTransposeConv: {
      const TensorId shape = builder.Constant("shape", {4}, std::vector<int32_t>{1, 16, 16, 33});
      const TensorId w = builder.RandomConstant("w", {33, 3, 3, 15}, 1), y = builder.Activation("y", {1, 16, 16, 33});
      ConvOptions options;
      options.stride_h = options.stride_w = 2;
      builder.AddOp(OpKind::kTransposeConv, {shape, w, builder.Input("x", {1, 8, 8, 15})}, {y},
                    MakeTransposeConvOptions(options));
      builder.Output(y);
      break;
    }
    case Layer::kFullyConnected:
      builder.Output(builder.FullyConnected(builder.Input("x", {5, 256}), 61, 1));
      break;
    case Layer::kBatchMatmul:
    case Layer::kBatchMatmulTransposed:
    case Layer::kBatchMatmulRepeated:
      AddBatchMatmul(builder, layer);
      break;
    case Layer::kEmbedding: {
      const TensorId ids = builder.Input("ids", {9}, TensorType::kInt32), y = builder.Activation("y", {9, 256});
      builder.AddOp(OpKind::kEmbeddingLookup, {ids, builder.RandomConstant("w", {61, 256}, 1)}, {y});
      builder.Output(y);
      break;
    }
    case Layer::kGather: {
      const TensorId ids = builder.Input("ids", {1, 9}, TensorType::kInt32), y = builder.Activation("y", {1, 9, 64});
      builder.AddOp(OpKind::kGather, {builder.RandomConstant("w", {61, 64}, 1), ids}, {y}, MakeGatherOptions(0));
      builder.Output(y);
      break;
    }
    case Layer::kAdd: {
      const TensorId x = builder.Input("x", {1, 32, 64}), y = builder.Activation("y", {1, 32, 64});
      builder.AddOp(OpKind::kAdd, {x, builder.RandomConstant("w", {1, 32, 64}, 1)}, {y}, MakeAddOptions());
      builder.Output(y);
      break;
    }
    default:
      AddRecurrent(builder, layer);
  }
  return builder.Build();
}

QuantizeSettings Weights(int bits, const std::string& granularity = "channel", int block_size = 32) {
  QuantizeSettings settings;
  settings.weights.bits = bits;
  settings.weights.granularity = granularity;
  settings.weights.block_size = block_size;
  return settings;
}

void ExpectWithin(const Pass& pass, Layer layer, double least_db, const std::string& what) {
  const Model model = Build(layer);
  Model result = model;
  PassContext context;
  const absl::StatusOr<Change> change = RunPass(pass, result, context);
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_GT(change->count, 0) << what;
  const std::vector<float> reference = RunModel(model, Kernels::kReference);
  for (Kernels kernels : {Kernels::kDelegate, Kernels::kBuiltin, Kernels::kReference}) {
    EXPECT_GE(SqnrOf(reference, RunModel(result, kernels)), least_db)
        << what << ", layer " << static_cast<int>(layer) << ", kernels " << static_cast<int>(kernels);
  }
}

constexpr Layer kWeightLayers[] = {Layer::kConv,
                                   Layer::kDepthwise,
                                   Layer::kTransposeConv,
                                   Layer::kFullyConnected,
                                   Layer::kBatchMatmul,
                                   Layer::kBatchMatmulTransposed,
                                   Layer::kBatchMatmulRepeated,
                                   Layer::kEmbedding,
                                   Layer::kGather};

// Weights are uniform and inputs normal. int8 weights alone cost 48 dB or so, inputs that a kernel quantizes too 40.
TEST(WeightSchemesTest, DynamicRangeInt8) {
  for (Layer layer : kWeightLayers) ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange), layer, 36, "int8");
  ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange), Layer::kAdd, 36, "int8");
  ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange, Weights(8, "tensor")), Layer::kConv, 36, "int8 per tensor");
}

TEST(WeightSchemesTest, RecurrentWeights) {
  for (Layer layer : {Layer::kLstm, Layer::kSequenceLstm, Layer::kRnn, Layer::kSequenceRnn, Layer::kSvdf}) {
    ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange), layer, 36, "dynamic range");
    ExpectWithin(IntegerWeightsPass(Mode::kRecurrent), layer, 36, "beside full integer");
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly), layer, 40, "weight only");
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly, Weights(4)), layer, 40, "asked for int4");
    ExpectWithin(Float16Pass(), layer, 60, "float16");
  }
}

// Uniform weights of 15 levels: 23 dB.
TEST(WeightSchemesTest, DynamicRangeInt4) {
  for (Layer layer : kWeightLayers) {
    for (const char* granularity : {"channel", "tensor"}) {
      ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange, Weights(4, granularity)), layer, 20, "int4");
    }
  }
}

TEST(WeightSchemesTest, BlockwiseInt4) {
  for (Layer layer : {Layer::kFullyConnected, Layer::kEmbedding}) {
    for (int block_size : {32, 64, 128, 256}) {
      ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange, Weights(4, "block", block_size)), layer, 22, "blocks");
      ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly, Weights(4, "block", block_size)), layer, 22, "blocks");
    }
  }
}

// Uniform weights of 4 levels: 10 dB.
TEST(WeightSchemesTest, Int2) {
  for (Layer layer : kWeightLayers) {
    ExpectWithin(IntegerWeightsPass(Mode::kDynamicRange, Weights(2)), layer, 8, "dynamic range");
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly, Weights(2)), layer, 8, "weight only");
  }
}

TEST(WeightSchemesTest, WeightOnly) {
  for (Layer layer : kWeightLayers) {
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly), layer, 42, "int8");
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly, Weights(8, "tensor")), layer, 42, "int8 per tensor");
    ExpectWithin(IntegerWeightsPass(Mode::kWeightOnly, Weights(4)), layer, 20, "int4");
  }
}

TEST(WeightSchemesTest, Float16) {
  for (Layer layer : kWeightLayers) ExpectWithin(Float16Pass(), layer, 65, "float16");
}

// Real models: the bytes are at most litert-quantizer 0.11's for the same scheme, and no rule is broken.
struct RealModel {
  const char* path;
  uint64_t dynamic_range, weight_only_int8, weight_only_int4;  // litert-quantizer's bytes; spam_tx: our own bound
  double least_db;                                             // int8, on normal inputs
};
constexpr RealModel kRealModels[] = {
    {"data/spam/spam_tx.tflite", 400'000, 400'000, 400'000, 40},
    {"data/qa/qa_tx.tflite", 690'784, 692'752, 582'064, 25},
    {"data/speech/sp_lstm.tflite", 538'304, 538'656, 504'288, 30},
    {"data/fashion/fm_mnv2.tflite", 102'344, 105'640, 91'016, 25},
    {"models/face_landmark.tflite", 703'152, 707'984, 707'984, 20},
};

TEST(WeightSchemesTest, RealModelsAreSmallSoundAndClose) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const RealModel& real : kRealModels) {
    const LoadedModel loaded = LoadFile(SharedDir() + "/" + real.path);
    const std::vector<float> reference = RunModel(loaded.model, Kernels::kDelegate);
    for (const auto& [mode, bits, bytes_max] : {std::tuple(Mode::kDynamicRange, 8, real.dynamic_range),
                                                {Mode::kWeightOnly, 8, real.weight_only_int8},
                                                {Mode::kWeightOnly, 4, real.weight_only_int4}}) {
      Model result = loaded.model;
      PassContext context;
      ASSERT_TRUE(RunPass(IntegerWeightsPass(mode, Weights(bits)), result, context).ok());
      const absl::StatusOr<std::string> written = SerializeModel(result);
      ASSERT_TRUE(written.ok());
      EXPECT_LE(written->size(), bytes_max) << real.path << " " << bits;
      std::vector<std::string> warnings;
      const absl::Status sound = CheckArtifact(loaded.model, result, warnings);
      EXPECT_TRUE(sound.ok()) << real.path << ": " << sound;
      const double least_db = bits == 8 ? real.least_db : 8;
      EXPECT_GE(SqnrOf(reference, RunModel(result, Kernels::kDelegate)), least_db) << real.path;
    }
  }
}

}  // namespace
}  // namespace lathe
