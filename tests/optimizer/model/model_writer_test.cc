#include "optimizer/model/model_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// One of everything the format can hold that Lathe keeps.
Model RichModel() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 3});
  const TensorId conv = builder.Conv2d(x, 4, 3, 1, {.activation = Activation::kRelu6});
  const TensorId y = builder.Activation("y", {1, 8, 8, 4}, TensorType::kInt8, PerTensor(0.5F, -3));
  OpOptions custom;
  custom.custom = {1, 2, 3, 250};
  const OpId op = builder.AddOp(OpKind::kCustom, {conv, TensorId()}, {y}, custom, 7);
  builder.Output(y);
  builder.AddSignature("serving_default");
  Model& model = builder.model();
  Subgraph& graph = model.subgraphs[0];
  graph.ops[op.index()].custom_code = "MyOp";
  graph.ops[op.index()].intermediates = {conv, TensorId()};
  graph.ops[op.index()].mutating_variable_inputs = {false, true};
  graph.ops[op.index()].debug_metadata_index = 3;
  graph.debug_metadata_index = 5;
  graph.tensor(x).shape_signature = {-1, 8, 8, 3};
  graph.tensor(x).has_rank = true;
  graph.tensor(conv).is_variable = true;
  graph.tensor(y).quantization.min = {-1};
  graph.tensor(y).quantization.max = {1};
  model.description = "rich";
  model.buffers.push_back(Buffer::Owned({9, 9, 9}));
  model.metadata.push_back({"note", BufferId(model.buffers.size() - 1)});
  model.metadata_buffers.push_back(BufferId(model.buffers.size() - 1));
  Tensor sparse;
  sparse.name = "sparse";
  sparse.shape = {2, 4};
  sparse.buffer = BufferId(model.buffers.size());
  SetSparsity(sparse, {.traversal_order = {0, 1},
                       .block_map = {},
                       .dimensions = {{.dense = true, .dense_size = 2},
                                      {.dense = false, .segments = {0, 1, 2}, .indices = {3, 0}}}});
  model.buffers.push_back(Buffer::Owned(std::vector<uint8_t>(8, 1)));
  graph.tensors.push_back(sparse);
  return builder.Build();
}

TEST(ModelWriterTest, KeepsEverything) {
  const Model model = RichModel();
  for (uint64_t inline_bytes_max : {uint64_t{1} << 30, uint64_t{0}}) {
    const auto written = SerializeModel(model, {.inline_bytes_max = inline_bytes_max});
    ASSERT_TRUE(written.ok()) << written.status();
    const auto again = ReadModelFromBytes(AsBytes(*written));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(DumpModel(model), DumpModel(*again));
  }
}

TEST(ModelWriterTest, BuffersLieAt16) {
  const std::string file = *SerializeModel(RichModel());
  const Model model = *ReadModelFromBytes(AsBytes(file));
  for (const Buffer& buffer : model.buffers) {
    if (buffer.empty()) continue;
    EXPECT_EQ((buffer.bytes().data() - AsBytes(file).data()) % 16, 0);
  }
  EXPECT_EQ(file.size() % 16, 0U);
}

TEST(ModelWriterTest, EqualModelsGiveEqualBytes) {
  EXPECT_EQ(*SerializeModel(RichModel()), *SerializeModel(RichModel()));
}

TEST(ModelWriterTest, BuffersGoOutsideOnlyAboveTheBound) {
  const Model model = RichModel();
  const std::string file = *SerializeModel(model);
  EXPECT_EQ(file, *SerializeModel(model, {.inline_bytes_max = file.size()}));
  EXPECT_NE(file, *SerializeModel(model, {.inline_bytes_max = file.size() - 1}));
}

// Views of the bytes behind are named where they will be, everything else is written.
TEST(ModelWriterTest, LeavesOutWhatLiesBehind) {
  const std::string file = *SerializeModel(RichModel());
  Model model = *ReadModelFromBytes(AsBytes(file));
  model.buffers.push_back(Buffer::Owned(std::vector<uint8_t>(100, 7)));
  model.metadata.push_back({"own", BufferId(model.buffers.size() - 1)});
  std::string written = *SerializeModel(model, {.behind = AsBytes(file)});
  written.resize((written.size() / MappedFile::kBehindAlignment + 1) * MappedFile::kBehindAlignment);
  const size_t head = written.size();
  written += file;
  const auto again = ReadModelFromBytes(AsBytes(written));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(DumpModel(model), DumpModel(*again));
  size_t behind = 0;
  for (const Buffer& buffer : again->buffers) {
    if (!buffer.empty() && buffer.bytes().data() >= AsBytes(written).data() + head) ++behind;
  }
  const auto filled =
      std::count_if(model.buffers.begin(), model.buffers.end(), [](const Buffer& b) { return !b.empty(); });
  EXPECT_EQ(behind, static_cast<size_t>(filled) - 1) << "all but its own";
}

TEST(ModelWriterTest, OperatorsOfOneKindAndTwoVersionsGetTwoCodes) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4});
  const TensorId a = builder.Activation("a", {4});
  const TensorId b = builder.Activation("b", {4});
  builder.AddOp(OpKind::kRelu, {x}, {a}, {}, 1);
  builder.AddOp(OpKind::kRelu, {a}, {b}, {}, 2);
  builder.Output(b);
  const std::string file = *SerializeModel(builder.Build());
  const Model again = *ReadModelFromBytes(AsBytes(file));
  EXPECT_EQ(again.subgraphs[0].ops[0].version, 1);
  EXPECT_EQ(again.subgraphs[0].ops[1].version, 2);
}

TEST(ModelWriterTest, KindsAbove127SurviveTheOldByteField) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {4});
  const TensorId y = builder.Activation("y", {4});
  builder.AddOp(OpKind::kGelu, {x}, {y});
  builder.Output(y);
  const std::string file = *SerializeModel(builder.Build());
  EXPECT_EQ(ReadModelFromBytes(AsBytes(file))->subgraphs[0].ops[0].kind, OpKind::kGelu);
}

TEST(ModelWriterTest, MayReplaceTheFileItReadsFrom) {
  TempDir dir;
  const std::string path = dir.path() + "/model.tflite";
  ASSERT_TRUE(WriteModelToFile(RichModel(), path).ok());
  const auto model = ReadModel(*MappedFile::Open(path));
  ASSERT_TRUE(model.ok());
  ASSERT_TRUE(WriteModelToFile(*model, path).ok());
  EXPECT_EQ(DumpModel(*ReadModel(*MappedFile::Open(path))), DumpModel(RichModel()));
}

// Counts down to an error, so that every call of the sink fails once.
TEST(ModelWriterTest, EveryErrorOfTheSinkComesBack) {
  const Model model = RichModel();
  for (int good = 0;; ++good) {
    int left = good;
    const absl::Status status = WriteModel(model, [&](absl::Span<const uint8_t>) {
      return left-- > 0 ? absl::OkStatus() : absl::ResourceExhaustedError("disk full");
    });
    if (status.ok()) break;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    ASSERT_LT(good, 100);
  }
}

}  // namespace
}  // namespace lathe
