#include "optimizer/passes/artifact_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "absl/strings/match.h"
#include "common/file.h"
#include "optimizer/model/model_reader.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"
#include "tests/support/status_matchers.h"

namespace lathe {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Rules(const Model& model) {
  std::vector<std::string> rules;
  for (const Defect& defect : FindDefects(model)) rules.push_back(defect.rule);
  return rules;
}

// x -> CONV_2D -> MAX_POOL_2D -> LOGISTIC, all of `type`, without a defect. Tensors: 0 x, 1 weights, 2 bias, 3 conv,
// 4 pool, 5 y.
Model Sound(TensorType type = TensorType::kInt8, OpKind kind = OpKind::kConv2d,
            TensorType weight_type = TensorType::kInt8) {
  const bool wide = type == TensorType::kInt16;
  ModelBuilder builder;
  const auto activation = [&](const char* name, std::vector<int32_t> shape, float scale, int64_t zero_point) {
    return builder.Activation(name, std::move(shape), type, PerTensor(scale, wide ? 0 : zero_point));
  };
  const TensorId x = builder.Input("x", {1, 4, 4, 2}, type);
  builder.model().subgraphs[0].tensor(x).quantization = PerTensor(0.5f, wide ? 0 : 3);
  const size_t bytes = weight_type == TensorType::kInt8 ? 4 : weight_type == TensorType::kInt4 ? 2 : 1;
  Quantization per_channel;
  per_channel.scale = {0.25f, 0.5f};
  per_channel.zero_point = {0, 0};
  per_channel.quantized_dimension = kind == OpKind::kDepthwiseConv2d ? 3 : 0;
  const std::vector<int32_t> shape =
      kind == OpKind::kDepthwiseConv2d ? std::vector<int32_t>{1, 2, 1, 2} : std::vector<int32_t>{2, 1, 1, 2};
  const TensorId w = builder.Constant("w", shape, weight_type, std::vector<uint8_t>(bytes, 1), per_channel);
  Quantization product;
  product.scale = {0.125f, 0.25f};
  product.zero_point = {0, 0};
  const TensorType bias_type = wide ? TensorType::kInt64 : TensorType::kInt32;
  const TensorId b = builder.Constant("b", {2}, bias_type, std::vector<uint8_t>(wide ? 16 : 8, 0), product);
  const TensorId conv = activation("conv", {1, 4, 4, 2}, 2, 5), pool = activation("pool", {1, 4, 4, 2}, 2, 5);
  const TensorId y = activation("y", {1, 4, 4, 2}, wide ? 1.0f / 32768 : 1.0f / 256, -128);
  builder.AddOp(kind, {x, w, b}, {conv},
                kind == OpKind::kConv2d ? MakeConvOptions({}) : MakeDepthwiseConvOptions({.depth_multiplier = 1}), 3);
  builder.AddOp(OpKind::kMaxPool2d, {conv}, {pool}, MakePoolOptions({}), 2);
  builder.AddOp(OpKind::kLogistic, {pool}, {y}, {}, 2);
  builder.Output(y);
  builder.AddSignature("serve");
  return builder.Build();
}

Tensor& At(Model& model, int32_t tensor) { return model.subgraphs[0].tensor(TensorId(tensor)); }

TEST(FindDefectsTest, SoundModelsHaveNone) {
  for (TensorType type : {TensorType::kInt8, TensorType::kInt16}) {
    EXPECT_THAT(Rules(Sound(type)), IsEmpty());
    EXPECT_THAT(Rules(Sound(type, OpKind::kDepthwiseConv2d)), IsEmpty());
  }
}

struct Breach {
  const char* rule;
  std::function<void(Model&)> commit;
  TensorType type = TensorType::kInt8;
  OpKind kind = OpKind::kConv2d;
};

TEST(FindDefectsTest, NamesEveryBrokenRule) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const Breach breaches[] = {
      {"scale", [](Model& m) { At(m, 3).quantization.scale[0] = 0; }},
      {"scale", [](Model& m) { At(m, 3).quantization.scale[0] = -1; }},
      {"scale", [&](Model& m) { At(m, 1).quantization.scale[1] = tiny; }},
      {"zero-point", [](Model& m) { At(m, 3).quantization.zero_point[0] = 300; }},
      {"zero-point", [](Model& m) { At(m, 3).quantization.zero_point[0] = 1; }, TensorType::kInt16},
      {"zero-point", [](Model& m) { At(m, 2).quantization.zero_point[0] = 1; }},
      {"symmetric", [](Model& m) { At(m, 1).quantization.zero_point[1] = 1; }},
      {"bias-scale", [](Model& m) { At(m, 2).quantization.scale[1] *= 1.00001f; }},
      {"bias-scale", [](Model& m) { At(m, 2).quantization = PerTensor(0.125f, 0); }},
      {"bias-saturated",
       [](Model& m) {
         m.buffers[At(m, 2).buffer.index()] = Buffer::Owned({0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f});
       }},
      {"same-scale", [](Model& m) { At(m, 4).quantization.zero_point[0] = 4; }},
      {"fixed-scale", [](Model& m) { At(m, 5).quantization.scale[0] = 0.01f; }},
      {"no-bias", [](Model& m) { m.subgraphs[0].ops[0].inputs[2] = TensorId(); }},
      {"no-bias", [](Model& m) { m.subgraphs[0].ops[0].inputs.pop_back(); }, TensorType::kInt8,
       OpKind::kDepthwiseConv2d},
      {"bias-type",
       [](Model& m) {
         At(m, 2).type = TensorType::kInt32;
         m.buffers[At(m, 2).buffer.index()] = Buffer::Owned(std::vector<uint8_t>(8, 0));
       },
       TensorType::kInt16},
      {"no-kernel", [](Model& m) { m.subgraphs[0].ops[2].kind = OpKind::kNeg; }},
      {"no-kernel", [](Model& m) { m.subgraphs[0].ops[2].kind = OpKind::kPrelu; }, TensorType::kInt16},
      {"no-kernel", [](Model& m) { m.subgraphs[0].ops[2].kind = OpKind::kHardSwish; }, TensorType::kInt16},
      {"version", [](Model& m) { m.subgraphs[0].ops[0].version = 9; }},
      {"shared-buffer", [](Model& m) { At(m, 1).buffer = At(m, 2).buffer; }},
      {"signature", [](Model& m) { m.signatures[0].outputs[0].tensor = TensorId(4); }},
      {"multiplier", [](Model& m) { At(m, 0).quantization.scale[0] = 1e12f; }},
  };
  for (const Breach& breach : breaches) {
    Model model = Sound(breach.type, breach.kind);
    breach.commit(model);
    EXPECT_THAT(Rules(model), Contains(breach.rule));
    std::vector<std::string> warnings;
    const Model sound = Sound(breach.type, breach.kind);
    EXPECT_TRUE(
        Fails(CheckArtifact(sound, model, warnings), absl::StatusCode::kInternal, "ARTIFACT_BROKEN", "subgraph") ||
        Fails(CheckArtifact(sound, model, warnings), absl::StatusCode::kInternal, "ARTIFACT_BROKEN", "signature"))
        << breach.rule;
  }
}

TEST(FindDefectsTest, NamesWidthsWithoutAKernel) {
  EXPECT_THAT(Rules(Sound(TensorType::kInt8, OpKind::kConv2d, TensorType::kInt4)), IsEmpty());
  EXPECT_THAT(Rules(Sound(TensorType::kInt8, OpKind::kConv2d, TensorType::kInt2)), Contains("no-kernel"));
  EXPECT_THAT(Rules(Sound(TensorType::kInt8, OpKind::kDepthwiseConv2d, TensorType::kInt4)), IsEmpty());
  EXPECT_THAT(Rules(Sound(TensorType::kInt16, OpKind::kDepthwiseConv2d, TensorType::kInt4)), Contains("no-kernel"));
}

TEST(FindDefectsTest, NamesHybridFormsThatComputeNonsense) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4, 4, 2}), y = builder.Activation("y", {1, 4, 4, 2});
  const TensorId w =
      builder.Constant("w", {1, 1, 1, 2}, TensorType::kInt8, std::vector<uint8_t>(2, 1), PerTensor(0.5f, 0));
  const TensorId b = builder.Constant("b", {2}, std::vector<float>{0, 0});
  builder.AddOp(OpKind::kDepthwiseConv2d, {x, w, b}, {y}, MakeDepthwiseConvOptions({.depth_multiplier = 1}));
  builder.Output(y);
  EXPECT_THAT(Rules(builder.Build()), Contains("depthwise-hybrid"));

  ModelBuilder halves;
  const TensorId in = halves.Input("x", {1, 4}), out = halves.Activation("y", {1, 2});
  halves.AddOp(OpKind::kFullyConnected,
               {in, halves.Constant("w", {2, 4}, TensorType::kFloat16, std::vector<uint8_t>(16, 0)), TensorId()}, {out},
               MakeFullyConnectedOptions({}));
  halves.Output(out);
  EXPECT_THAT(Rules(halves.Build()), Contains("float16"));
}

TEST(CheckArtifactTest, WhatTheInputHadIsAWarning) {
  Model input = Sound();
  At(input, 5).quantization.scale[0] = 0.01f;
  Model output = input;
  At(output, 3).name = "another tensor's name changes nothing";
  std::vector<std::string> warnings;
  EXPECT_TRUE(Succeeds(CheckArtifact(input, output, warnings)));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("fixed-scale"));
  At(output, 4).quantization.zero_point[0] = 4;
  EXPECT_TRUE(
      Fails(CheckArtifact(input, output, warnings), absl::StatusCode::kInternal, "ARTIFACT_BROKEN", "same-scale"));
}

TEST(FindDefectsTest, QuantizedFilesOfOthersHaveNone) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) {
    auto file = MappedFile::Open(path);
    ASSERT_TRUE(file.ok());
    const auto model = ReadModel(*file);
    ASSERT_TRUE(model.ok()) << path;
    for (const Defect& defect : FindDefects(*model)) {
      ADD_FAILURE() << path << ": " << defect.rule << ": " << defect.place << ": " << defect.text;
    }
  }
}

}  // namespace
}  // namespace lathe
