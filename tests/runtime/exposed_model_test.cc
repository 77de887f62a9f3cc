#include "runtime/exposed_model.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/interpreter.h"
#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// y = x * 3 + 5, whose sum's first operand is the inner tensor 'product'.
Model Affine() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 64}), product = builder.Activation("product", {1, 64});
  const TensorId y = builder.Activation("y", {1, 64});
  builder.AddOp(OpKind::kMul, {x, builder.Constant("factor", {64}, std::vector<float>(64, 3))}, {product},
                MakeMulOptions());
  builder.AddOp(OpKind::kAdd, {product, builder.Constant("offset", {64}, std::vector<float>(64, 5))}, {y},
                MakeAddOptions());
  builder.Output(y);
  return builder.Build();
}

class MapForRuntimeTest : public ::testing::Test {
 protected:
  MapForRuntimeTest() {
    EXPECT_TRUE(WriteModelToFile(Affine(), dir_ / "input.tflite").ok());
    input_ = LoadFile(dir_ / "input.tflite");
  }

  // All outputs for x = 2.
  std::vector<float> Answers(const Model& model, const MappedFile* input) {
    const auto mapped = MapForRuntime(model, input, dir_ / "scratch.tflite");
    EXPECT_TRUE(mapped.ok()) << mapped.status();
    size_bytes_ = (*mapped)->bytes().size();
    InterpreterOptions options;
    options.file = mapped->get();
    auto interpreter = Interpreter::Create(model, (*mapped)->bytes(), options);
    EXPECT_TRUE(interpreter.ok()) << interpreter.status();
    const std::vector<float> x(64, 2);
    EXPECT_TRUE((*interpreter)->SetInput(0, {reinterpret_cast<const uint8_t*>(x.data()), 256}).ok());
    EXPECT_TRUE((*interpreter)->Run().ok());
    std::vector<float> answers;
    for (size_t i = 0; i < (*interpreter)->outputs().size(); ++i) {
      answers.push_back(*reinterpret_cast<const float*>((*interpreter)->Output(i).data()));
    }
    return answers;
  }

  TempDir dir_;
  LoadedModel input_;
  size_t size_bytes_ = 0;
};

TEST_F(MapForRuntimeTest, RunsOnConstantsOfTheInputFile) {
  const Model exposed = ExposeTensors(input_.model, {TensorId(1)});
  EXPECT_EQ(Answers(exposed, input_.file.get()), Answers(exposed, nullptr));
  EXPECT_EQ(Answers(input_.model, input_.file.get()), std::vector<float>{11});
  EXPECT_EQ(size_bytes_, MappedFile::kBehindAlignment + input_.bytes().size());
}

TEST_F(MapForRuntimeTest, WritesConstantsOfItsOwn) {
  Model model = input_.model;
  const std::vector<float> factor(64, 4);
  const auto* bytes = reinterpret_cast<const uint8_t*>(factor.data());
  for (const Tensor& tensor : input_.model.subgraphs[0].tensors) {
    if (tensor.name == "factor") model.buffers[tensor.buffer.index()] = Buffer::Owned({bytes, bytes + 256});
  }
  EXPECT_EQ(Answers(model, input_.file.get()), std::vector<float>{13});
  EXPECT_GT(size_bytes_, MappedFile::kBehindAlignment);
  EXPECT_EQ(Answers(model, nullptr), std::vector<float>{13});
  EXPECT_LT(size_bytes_, MappedFile::kBehindAlignment);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "scratch.tflite"));
}

}  // namespace
}  // namespace lathe
