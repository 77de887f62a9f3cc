// model_reader.cc and model_verifier.cc against bytes made to break them.
#include <gtest/gtest.h>

#include <random>

#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/model_mutator.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// About 3 KB with most structures: two subgraphs, convolution, options, quantization, sparse weights, a signature.
std::string SmallFile() {
  ModelBuilder builder;
  const TensorId condition = builder.Input("condition", {1}, TensorType::kBool);
  const TensorId x = builder.Input("x", {1, 4, 4, 2});
  const TensorId conv = builder.Conv2d(x, 4, 3, 1, {.activation = Activation::kRelu6});
  const TensorId fc = builder.FullyConnected(conv, 2, 3);
  const TensorId sparse = builder.RandomConstant("sparse", {2}, 5);
  builder.model().subgraphs[0].tensor(sparse).shape = {2, 2};
  SetSparsity(
      builder.model().subgraphs[0].tensor(sparse),
      {.traversal_order = {0, 1},
       .block_map = {},
       .dimensions = {{.dense = true, .dense_size = 2}, {.dense = false, .segments = {0, 1, 2}, .indices = {1, 0}}}});
  const TensorId dense = builder.Activation("dense", {2, 2});
  builder.AddOp(OpKind::kDensify, {sparse}, {dense});
  const TensorId y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kIf, {condition, fc, dense}, {y}, MakeIfOptions(SubgraphId(1), SubgraphId(1)));
  builder.Output(y);
  builder.AddSignature("serving_default");
  builder.AddSubgraph("branch");
  const TensorId in = builder.Input("in", {1, 2});
  const TensorId weights = builder.Input("weights", {2, 2});
  const TensorId out = builder.Activation("out", {1, 2}, TensorType::kFloat32, PerTensor(0.5F, 0));
  builder.AddOp(OpKind::kFullyConnected, {in, weights, TensorId()}, {out}, MakeFullyConnectedOptions({}), 6);
  builder.Output(out);
  builder.model().description = "hostile";
  return *SerializeModel(builder.Build());
}

// Either a model that can be written, or an InvalidArgument with a place and a reason.
void ExpectOrderly(const std::string& bytes, size_t place) {
  const auto model = ReadModelFromBytes(AsBytes(bytes));
  if (model.ok()) {
    DumpModel(*model);
    EXPECT_TRUE(SerializeModel(*model).ok()) << place;
    return;
  }
  ASSERT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument) << place << ": " << model.status();
  ASSERT_FALSE(model.status().message().empty());
  const std::string reason = ReasonOf(model.status());
  ASSERT_TRUE(reason == "MODEL_CORRUPT" || reason == "MODEL_UNSUPPORTED") << model.status();
}

TEST(HostileBytesTest, EveryTruncation) {
  const std::string file = SmallFile();
  EXPECT_GT(file.size(), 2500U);
  EXPECT_LT(file.size(), 4500U);
  // Behind the last buffer's last byte lies only padding, which nobody misses.
  const size_t padding = 16;
  for (size_t size = 0; size < file.size(); ++size) {
    ExpectOrderly(file.substr(0, size), size);
    if (size < file.size() - padding) {
      EXPECT_FALSE(ReadModelFromBytes(AsBytes(file.substr(0, size))).ok()) << size;
    }
  }
}

TEST(HostileBytesTest, EveryBitFlip) {
  std::string file = SmallFile();
  for (size_t byte = 0; byte < file.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      const char before = file[byte];
      file[byte] = static_cast<char>(static_cast<unsigned char>(before) ^ (1U << bit));
      ExpectOrderly(file, byte);
      file[byte] = before;
    }
  }
}

TEST(HostileBytesTest, EveryWordSetToExtremes) {
  std::string file = SmallFile();
  for (size_t word = 0; word + 4 <= file.size(); word += 4) {
    const std::string before = file.substr(word, 4);
    for (uint32_t value : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xffffffffU, 0x40000000U}) {
      for (size_t i = 0; i < 4; ++i) file[word + i] = static_cast<char>(value >> (8 * i));
      ExpectOrderly(file, word);
    }
    file.replace(word, 4, before);
  }
}

TEST(HostileBytesTest, BuffersOutsideTheFlatbuffer) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 4});
  builder.Output(builder.FullyConnected(x, 2, 3));
  const std::string file = *SerializeModel(builder.Build(), {.inline_bytes_max = 0});
  for (size_t size = 0; size < file.size(); ++size) ExpectOrderly(file.substr(0, size), size);
  std::string flipped = file;
  for (size_t byte = 0; byte < file.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      flipped[byte] = static_cast<char>(static_cast<unsigned char>(file[byte]) ^ (1U << bit));
      ExpectOrderly(flipped, byte);
    }
    flipped[byte] = file[byte];
  }
}

// tools/fuzz runs 10,000 a model; these few keep the path alive in every test run.
TEST(HostileBytesTest, SeededMutationsOfSharedModels) {
  LATHE_SKIP_WITHOUT_SHARED();
  constexpr int kMutations = 200;
  for (const std::string& path : SharedModels()) {
    auto mutator = ModelMutator::Open(path, /*seed=*/1);
    ASSERT_TRUE(mutator.ok()) << mutator.status();
    for (int i = 0; i < kMutations; ++i) {
      const absl::Status status = CheckMutatedModel((*mutator)->Next());
      ASSERT_TRUE(status.ok()) << path << ", seed 1, mutation " << i << ": " << status;
    }
  }
}

}  // namespace
}  // namespace lathe
