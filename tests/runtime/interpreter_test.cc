#include "runtime/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/samples.h"
#include "tests/runtime/loaded_model.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> Floats(absl::Span<const uint8_t> bytes) {
  std::vector<float> values(bytes.size() / 4);
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

absl::Span<const uint8_t> AsBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * 4};
}

// "neg" = -x, "twice" = x + x, outputs in that order.
Model NegAndTwice() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 3});
  const TensorId twice = builder.Activation("twice", {1, 3}), neg = builder.Activation("neg", {1, 3});
  builder.AddOp(OpKind::kAdd, {x, x}, {twice}, MakeAddOptions());
  builder.AddOp(OpKind::kNeg, {x}, {neg});
  builder.Output(neg);
  builder.Output(twice);
  builder.AddSignature("main");
  return builder.Build();
}

std::vector<std::vector<float>> RunOn(const LoadedModel& loaded, const std::vector<float>& input) {
  auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), {});
  EXPECT_TRUE(interpreter.ok()) << interpreter.status();
  if (!interpreter.ok()) return {};
  EXPECT_TRUE((*interpreter)->SetInput(0, AsBytes(input)).ok());
  const absl::Status status = (*interpreter)->Run();
  EXPECT_TRUE(status.ok()) << status;
  std::vector<std::vector<float>> outputs;
  for (size_t i = 0; i < (*interpreter)->outputs().size(); ++i) outputs.push_back(Floats((*interpreter)->Output(i)));
  return outputs;
}

TEST(InterpreterTest, RunsInTheOrderOfTheSubgraph) {
  EXPECT_THAT(RunOn(Loaded(NegAndTwice()), {1, 2, 3}), ElementsAre(ElementsAre(-1, -2, -3), ElementsAre(2, 4, 6)));
}

TEST(InterpreterTest, OrderOfTheSignatureDoesNotMatter) {
  Model model = NegAndTwice();
  std::swap(model.signatures[0].outputs[0], model.signatures[0].outputs[1]);
  EXPECT_THAT(RunOn(Loaded(std::move(model)), {1, 2, 3}), ElementsAre(ElementsAre(-1, -2, -3), ElementsAre(2, 4, 6)));
}

TEST(InterpreterTest, RunsModelsThatTheRuntimeMistakes) {
  Model model = NegAndTwice();
  model.signatures[0].outputs.pop_back();
  EXPECT_THAT(RunOn(Loaded(std::move(model)), {1, 2, 3}), ElementsAre(ElementsAre(-1, -2, -3), ElementsAre(2, 4, 6)));

  model = NegAndTwice();
  model.signatures.clear();
  for (TensorId id : model.subgraphs[0].outputs) model.subgraphs[0].tensor(id).name = "same";
  EXPECT_THAT(RunOn(Loaded(std::move(model)), {1, 2, 3}), ElementsAre(ElementsAre(-1, -2, -3), ElementsAre(2, 4, 6)));

  model = NegAndTwice();
  model.signatures.clear();
  std::vector<TensorId>& outputs = model.subgraphs[0].outputs;
  outputs = {outputs[0], outputs[1], outputs[0], model.subgraphs[0].inputs[0]};
  EXPECT_THAT(RunOn(Loaded(std::move(model)), {1, 2, 3}), ElementsAre(ElementsAre(-1, -2, -3), ElementsAre(2, 4, 6),
                                                                      ElementsAre(-1, -2, -3), ElementsAre(1, 2, 3)));
}

TEST(InterpreterTest, RunsDynamicBatchAsOne) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 3}), y = builder.Activation("y", {1, 3});
  builder.AddOp(OpKind::kAdd, {x, x}, {y}, MakeAddOptions());
  builder.Output(y);
  Model model = builder.Build();
  for (TensorId id : {x, y}) model.subgraphs[0].tensor(id).shape_signature = {-1, 3};
  EXPECT_THAT(RunOn(Loaded(std::move(model)), {1, 2, 3}), ElementsAre(ElementsAre(2, 4, 6)));
}

TEST(InterpreterTest, SaysWhatTheRuntimeCannotRun) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 3}), y = builder.Activation("y", {1, 3});
  const OpId op = builder.AddOp(OpKind::kCustom, {x}, {y});
  builder.model().subgraphs[0].ops[op.index()].custom_code = "NobodyKnowsIt";
  builder.Output(y);
  const LoadedModel loaded = Loaded(builder.Build());
  const auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), {});
  const absl::Status status = interpreter.ok() ? (*interpreter)->Run() : interpreter.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "RUNTIME_REFUSED");
}

TEST(InterpreterTest, RefusesInputsThatCannotBeFed) {
  ModelBuilder builder;
  const TensorId x = builder.Input("words", {1}, TensorType::kString);
  builder.Output(x);
  const Model model = builder.BuildUnverified();
  const auto inputs = DescribeInputs(model);
  EXPECT_EQ(ReasonOf(inputs.status()), "MODEL_UNSUPPORTED");
  EXPECT_THAT(std::string(inputs.status().message()), testing::AllOf(HasSubstr("'words'"), HasSubstr("STRING")));
}

// A recurrent model's second run continues from the first; after ResetState it starts afresh.
TEST(InterpreterTest, ResetsRecurrentState) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const char* file : {"/models/mnist_lstm.tflite", "/data/speech/sp_lstm.tflite"}) {
    const LoadedModel loaded = LoadFile(SharedDir() + file);
    auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), {});
    ASSERT_TRUE(interpreter.ok()) << interpreter.status();
    EXPECT_TRUE((*interpreter)->HasState());
    auto samples = MakeSyntheticSamples(loaded.model, {});
    Sample sample;
    ASSERT_TRUE(*(*samples)->Next(&sample));
    const auto run = [&] {
      EXPECT_TRUE((*interpreter)->SetInput(0, sample.inputs[0]).ok());
      EXPECT_TRUE((*interpreter)->Run().ok());
      return Floats((*interpreter)->Output(0));
    };
    const std::vector<float> fresh = run(), continued = run();
    EXPECT_NE(fresh, continued) << file;
    ASSERT_TRUE((*interpreter)->ResetState().ok());
    EXPECT_EQ(run(), fresh) << file;
  }
}

TEST(InterpreterTest, LoadsAndRunsEverySharedModel) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) {
    SCOPED_TRACE(path);
    const LoadedModel loaded = LoadFile(path);
    auto interpreter = Interpreter::Create(loaded.model, loaded.bytes(), {});
    ASSERT_TRUE(interpreter.ok()) << interpreter.status();
    auto samples = MakeSyntheticSamples(loaded.model, {});
    Sample sample;
    ASSERT_TRUE(*(*samples)->Next(&sample));
    for (size_t i = 0; i < sample.inputs.size(); ++i) {
      ASSERT_TRUE((*interpreter)->SetInput(i, sample.inputs[i]).ok());
    }
    const absl::Status status = (*interpreter)->Run();
    ASSERT_TRUE(status.ok()) << status;
  }
}

}  // namespace
}  // namespace lathe
