// The corpus of odd files against every preset: a smaller file that runs and agrees with its input, or a refusal that
// names the cause. Then symptoms that users of such tools report, each under its own name.

#include <gmock/gmock.h>

#include <algorithm>

#include "optimizer/model/model_reader.h"
#include "optimizer/recipe/validate.h"
#include "tests/executor/job_fixture.h"
#include "tests/support/model_builder.h"
#include "tests/support/odd_models.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What a user of the model can name, and what other tools find in it by name.
std::string Surface(const Model& model) {
  std::string text = model.description + '\n';
  const auto add = [&](const Subgraph& subgraph, const std::vector<TensorId>& ids) {
    for (TensorId id : ids) {
      const Tensor& tensor = subgraph.tensor(id);
      absl::StrAppendFormat(&text, "'%s' %s", tensor.name, TensorTypeName(tensor.type));
      for (int32_t dimension : tensor.shape) absl::StrAppendFormat(&text, " %d", dimension);
      for (int32_t dimension : tensor.shape_signature) absl::StrAppendFormat(&text, " (%d)", dimension);
      text += '\n';
    }
  };
  for (const Subgraph& subgraph : model.subgraphs) {
    add(subgraph, subgraph.inputs);
    add(subgraph, subgraph.outputs);
  }
  for (const Signature& signature : model.signatures) {
    absl::StrAppendFormat(&text, "%s %d\n", signature.key, signature.subgraph.value);
    for (const SignatureEntry& entry : signature.inputs) text += entry.name + '\n';
    for (const SignatureEntry& entry : signature.outputs) text += entry.name + '\n';
  }
  for (const Metadata& metadata : model.metadata) text += metadata.name + '\n';
  return text;
}

// dB that the preset's result must have on the model.
double LeastDb(const OddModel& model, const std::string& preset) {
  if (preset == "float16") return model.least_float16_db;
  return preset.find("int4") == std::string::npos ? model.least_db : model.least_db - 13;
}

class OddFilesTest : public JobTest, public testing::WithParamInterface<OddModel> {};

TEST_P(OddFilesTest, BecomesSmallerAndAgreesOrIsRefusedWithTheCause) {
  const OddModel& odd = GetParam();
  const std::string bytes = odd.write();
  for (const PresetInfo& preset : Presets()) {
    // Inputs and outputs of edge-tpu are integers, and it refuses more: targets_test has it.
    if (!preset.supported || preset.name == std::string_view("edge-tpu")) continue;
    SCOPED_TRACE(preset.name);
    PutFile("model", bytes);
    SetPreset(preset.name);
    const auto result = Run();
    if (!result.ok()) {
      const std::string reason = ReasonOf(result.status());
      const bool listed = std::find(odd.refusals.begin(), odd.refusals.end(), reason) != odd.refusals.end();
      EXPECT_TRUE(listed || reason == "NOTHING_TO_DO" || reason == "LARGER_THAN_INPUT") << result.status();
      if (listed) {
        EXPECT_THAT(std::string(result.status().message()), HasSubstr(odd.refusal_names));
      }
      continue;
    }
    EXPECT_TRUE(odd.refusals.empty()) << "was not refused";
    const std::string output = Output();
    EXPECT_LE(output.size(), bytes.size());
    const absl::StatusOr<Model> before = ReadModelFromBytes(AsBytes(bytes)),
                                after = ReadModelFromBytes(AsBytes(output));
    ASSERT_TRUE(before.ok() && after.ok()) << after.status();
    EXPECT_EQ(Surface(*after), Surface(*before));
    for (const v1::OutputError& error : result->report().error().outputs()) {
      if (!error.has_sqnr_db()) continue;
      EXPECT_GE(error.sqnr_db(), LeastDb(odd, preset.name)) << error.name();
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Corpus, OddFilesTest, testing::ValuesIn(OddModels()),
                         [](const auto& test) { return test.param.name; });

// Symptoms. Each runs a preset on an odd model that is expected to succeed.
class SymptomTest : public JobTest {
 protected:
  v1::Report MustRun(const std::string& odd, const std::string& preset) {
    for (const OddModel& model : OddModels()) {
      if (model.name == odd) PutFile("model", model.write());
    }
    SetPreset(preset);
    const auto result = Run();
    EXPECT_TRUE(result.ok()) << odd << ", " << preset << ": " << result.status();
    return result.ok() ? result->report() : v1::Report();
  }
  static double LeastDb(const v1::Report& report) {
    double least = 200;
    for (const v1::OutputError& error : report.error().outputs()) least = std::min(least, error.sqnr_db());
    return least;
  }
  static size_t Count(const v1::Report& report, const std::string& kind, const std::string& precision) {
    return static_cast<size_t>(
        std::count_if(report.operators().begin(), report.operators().end(),
                      [&](const auto& row) { return row.kind() == kind && row.precision() == precision; }));
  }
};

TEST_F(SymptomTest, OnlyAFloatFileAtHandAndNoTrainingCode) {
  EXPECT_EQ(Count(MustRun("no_signature", "int8"), "CONV_2D", "int8"), 2u);
}

TEST_F(SymptomTest, CalibrationDemandsASignatureThatTheFileLacks) {
  EXPECT_GE(LeastDb(MustRun("no_signature", "int8")), 25);
}

TEST_F(SymptomTest, OldFileComesBackUnchangedBecauseItsOperatorsReadAsAdd) {
  const v1::Report report = MustRun("old_operator_codes", "dynamic-range");
  EXPECT_LT(report.output().bytes(), report.input().bytes() / 3);
}

TEST_F(SymptomTest, TinyModelGrowsWhenQuantized) {
  for (const char* preset : {"int8", "dynamic-range", "weight-only-int8", "float16"}) {
    for (const OddModel& model : OddModels()) {
      if (model.name == "tiny") PutFile("model", model.write());
    }
    SetPreset(preset);
    const std::string reason = ReasonOf(Run().status());
    EXPECT_TRUE(reason == "LARGER_THAN_INPUT" || reason == "NOTHING_TO_DO") << preset << ": " << reason;
  }
}

TEST_F(SymptomTest, WeightsBehindAFloat16DequantizeStayFloat) {
  EXPECT_EQ(Count(MustRun("half_weights", "int8"), "CONV_2D", "int8"), 2u);
  EXPECT_EQ(Count(MustRun("half_weights", "dynamic-range"), "DEQUANTIZE", "float16"), 0u);
}

TEST_F(SymptomTest, Float16FileIsFullOfDequantizeOfActivations) {
  // The layout that delegates fold: a DEQUANTIZE reads a constant, never an activation.
  MustRun("no_signature", "float16");
  const std::string output = Output();
  const absl::StatusOr<Model> model = ReadModelFromBytes(AsBytes(output));
  ASSERT_TRUE(model.ok());
  size_t count = 0;
  for (const Op& op : model->subgraphs[0].ops) {
    if (op.kind != OpKind::kDequantize) continue;
    EXPECT_TRUE(model->IsConstant(model->subgraphs[0].tensor(op.inputs[0])));
    ++count;
  }
  EXPECT_EQ(count, 2u);
}

TEST_F(SymptomTest, BiasSharedByTwoConvolutionsIsQuantizedForOneOfThem) {
  EXPECT_GE(LeastDb(MustRun("shared_bias", "int8")), 25);
}

TEST_F(SymptomTest, OperandSharedByTwoMultiplicationsIsQuantizedForOneOfThem) {
  EXPECT_GE(LeastDb(MustRun("shared_mul_operand", "int8")), 25);
}

TEST_F(SymptomTest, GroupedConvolutionStopsTheWholeConversion) {
  const v1::Report report = MustRun("grouped_convolution", "int8");
  EXPECT_GE(Count(report, "CONV_2D", "int8"), 1u);
  EXPECT_GE(LeastDb(report), 25);
}

TEST_F(SymptomTest, DeadChannelsOverflowTheirBias) { EXPECT_GE(LeastDb(MustRun("dead_channels", "int8")), 25); }

TEST_F(SymptomTest, MultiplierOutOfRangeAbortsWhenTheFileIsLoaded) {
  // One channel 1e30 times the others: shifts that no kernel takes, were they written as they come.
  MustRun("huge_weights", "int8");
}

TEST_F(SymptomTest, FileWithDataAfterItsFlatbufferIsInvalidForTheTool) {
  const v1::Report report = MustRun("data_after_the_flatbuffer", "int8");
  EXPECT_LT(report.output().bytes(), report.input().bytes() / 2);
}

TEST_F(SymptomTest, ResidualSumWithOperandsOfDifferentScalesIsWrong) {
  // Branches whose ranges differ a hundredfold meet in a sum and in a concatenation.
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16}), a = builder.Conv2d(x, 16, 3, 1),
                 b = builder.Conv2d(x, 16, 1, 5);
  const TensorId small = builder.Activation("small", {1, 8, 8, 16}), sum = builder.Activation("sum", {1, 8, 8, 16});
  const TensorId both = builder.Activation("both", {1, 8, 8, 32});
  builder.AddOp(OpKind::kMul, {b, builder.Constant("c", {1, 8, 8, 1}, std::vector<float>(64, 0.01f))}, {small},
                MakeMulOptions());
  builder.AddOp(OpKind::kAdd, {a, small}, {sum}, MakeAddOptions());
  builder.AddOp(OpKind::kConcatenation, {sum, small}, {both}, MakeConcatenationOptions(3));
  builder.Output(builder.Conv2d(both, 16, 3, 9));
  PutModel(builder.Build());
  EXPECT_GE(LeastDb(MustRun("", "int8")), 25);
}

TEST_F(SymptomTest, OperatorWithoutAnIntegerKernelStopsTheConversionLate) {
  // LOG, POW, DIV, RSQRT, SQUARED_DIFFERENCE and RESIZE between convolutions: float islands where there is no kernel.
  ModelBuilder builder;
  const std::vector<int32_t> shape = {1, 8, 8, 16};
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 16}), 16, 3, 1, {.activation = Activation::kRelu6});
  const auto step = [&](OpKind kind, std::vector<TensorId> more = {}) {
    const TensorId y = builder.Activation(std::string(OpKindName(kind)), shape);
    more.insert(more.begin(), x);
    builder.AddOp(kind, std::move(more), {y}, {});
    x = y;
  };
  const TensorId two = builder.Constant("two", {}, std::vector<float>{2});
  step(OpKind::kAdd, {two});
  step(OpKind::kLog);
  step(OpKind::kSquaredDifference, {two});
  step(OpKind::kAdd, {two});
  step(OpKind::kPow, {two});
  step(OpKind::kDiv, {two});
  step(OpKind::kRsqrt);
  builder.Output(builder.Conv2d(x, 32, 3, 9));
  PutModel(builder.Build());
  for (const PresetInfo& preset : Presets()) {
    if (!preset.supported || !preset.needs_data || preset.name == std::string_view("edge-tpu")) continue;
    EXPECT_GE(LeastDb(MustRun("", preset.name)), 15) << preset.name;
  }
}

}  // namespace
}  // namespace lathe
