#include "optimizer/model/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

Model SmallModel() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 2});
  const TensorId one = builder.Constant("one", {2}, std::vector<float>{1, 1});
  const TensorId y = builder.Activation("y", {1, 2});
  builder.AddOp(OpKind::kAdd, {x, one}, {y}, MakeAddOptions(Activation::kRelu));
  builder.Output(y);
  builder.AddSignature("serving_default");
  return builder.Build();
}

TEST(DumpTest, ShowsTheWholeModel) {
  EXPECT_EQ(DumpModel(SmallModel()),
            "model ''\n"
            "signature 'serving_default' subgraph 0 ('x'=%0) -> ('y'=%2)\n"
            "subgraph 0 'main' (%0) -> (%2)\n"
            "  %0 'x' FLOAT32[1,2]\n"
            "  %1 'one' FLOAT32[2] = 8 bytes 0b2d58ee2f147975\n"
            "  %2 'y' FLOAT32[1,2]\n"
            "  0: %2 = ADD v1(%0 %1) {AddOptions RELU e322967fbe362181}\n");
}

TEST(DumpTest, ShowsEveryChange) {
  const std::string before = DumpModel(SmallModel());
  const auto changed = [&](const auto& change) {
    Model model = SmallModel();
    change(model);
    return DumpModel(model) != before;
  };
  EXPECT_TRUE(changed([](Model& m) { m.description = "d"; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].tensors[2].shape_signature = {-1, 2}; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].tensors[2].is_variable = true; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].tensors[2].has_rank = true; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].tensors[2].quantization = PerTensor(0.5F, 3); }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].tensors[2].quantization.max = {1}; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].ops[0].version = 2; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].ops[0].options = MakeAddOptions(); }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].ops[0].debug_metadata_index = 4; }));
  EXPECT_TRUE(changed([](Model& m) { m.subgraphs[0].ops[0].mutating_variable_inputs = {true}; }));
  EXPECT_TRUE(changed([](Model& m) { m.buffers[1] = Buffer::Owned({0, 0, 128, 63, 0, 0, 128, 64}); }));
  EXPECT_TRUE(changed([](Model& m) { m.metadata.push_back({"m", BufferId(0)}); }));
  EXPECT_FALSE(changed([](Model& m) { m.buffers.emplace_back(); }));
}

TEST(DumpTest, ComparesModelsWithoutTheirDigests) {
  Model other = SmallModel();
  EXPECT_TRUE(IsSameModel(SmallModel(), other));
  other.buffers[1] = Buffer::Owned({0, 0, 128, 63, 0, 0, 128, 64});
  EXPECT_FALSE(IsSameModel(SmallModel(), other));
  other = SmallModel();
  other.subgraphs[0].tensors[2].name = "z";
  EXPECT_FALSE(IsSameModel(SmallModel(), other));
}

TEST(DumpTest, SaysWhichConstantsShareTheirBytes) {
  Model model = SmallModel();
  model.subgraphs[0].tensors[2].buffer = BufferId(1);
  model.subgraphs.push_back(model.subgraphs[0]);
  EXPECT_THAT(DumpModel(model),
              HasSubstr("0b2d58ee2f147975\n  %2 'y' FLOAT32[1,2] = 8 bytes 0b2d58ee2f147975 shared with %1\n"));
  EXPECT_THAT(DumpModel(model),
              HasSubstr("%1 'one' FLOAT32[2] = 8 bytes 0b2d58ee2f147975 shared with subgraph 0 %1\n"));
}

TEST(DumpTest, EscapesNames) {
  Model model = SmallModel();
  model.subgraphs[0].tensors[0].name = "x\n\x01";
  EXPECT_THAT(DumpModel(model), HasSubstr("'x\\n\\x01' FLOAT32"));
}

}  // namespace
}  // namespace lathe
