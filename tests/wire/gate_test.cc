#include "wire/gate.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::HasSubstr;
using Gates = google::protobuf::RepeatedPtrField<v1::Gate>;

Gates Of(const std::vector<std::string>& texts) {
  Gates gates;
  for (const std::string& text : texts) *gates.Add() = GateToProto(*ParseGate(text));
  return gates;
}

std::string ProblemOf(const std::string& text, const GateCircumstances& circumstances = {}) {
  const auto violations = CheckGates(Of({text}), circumstances, "gates");
  return violations.empty() ? "" : violations[0].description;
}

v1::Report SomeReport() {
  v1::Report report;
  report.mutable_input()->set_bytes(1000);
  report.mutable_output()->set_bytes(400);
  report.mutable_accuracy()->set_unit("fraction");
  report.mutable_accuracy()->set_input(0.9);
  report.mutable_accuracy()->set_output(0.895);
  return report;
}

TEST(GateTest, SurvivesTheWire) {
  for (const char* text : {"output.bytes < 5", "accuracy.output >= input - 0.3 points", "output.bytes > 0.5 * input"}) {
    EXPECT_EQ(GateFromProto(GateToProto(*ParseGate(text))), *ParseGate(text));
  }
}

TEST(CheckGatesTest, NamesWhatTheJobDoesNotMeasure) {
  EXPECT_EQ(ProblemOf("output.bytes <= 5"), "");
  EXPECT_THAT(ProblemOf("output.size <= 5"), HasSubstr("'size'"));
  EXPECT_THAT(ProblemOf("accuracy.output >= 0.5"), HasSubstr("--evaluation"));
  EXPECT_THAT(ProblemOf("error.outputs[0].sqnr_db >= 5"), HasSubstr("synthetic"));
  EXPECT_THAT(ProblemOf("latency.output_ms <= 5", {.benchmarks = false, .has_data = true, .metric = ""}),
              HasSubstr("benchmark"));
  EXPECT_THAT(
      ProblemOf("accuracy.output >= input - 1 points", {.benchmarks = true, .has_data = true, .metric = "psnr"}),
      HasSubstr("points"));
}

TEST(CheckGatesTest, NamesFieldsThatAreNotSet) {
  Gates gates;
  gates.Add()->set_metric("output.bytes");
  v1::Gate& second = *gates.Add();
  second.set_metric("output.bytes");
  second.set_operator_(v1::Gate::LESS);
  const auto violations = CheckGates(gates, {}, "gates");
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[1].field, "gates[1]");
  EXPECT_THAT(violations[1].description, HasSubstr("threshold"));
}

TEST(HoldGatesTest, SaysByHowMuchEachIsMetOrMissed) {
  v1::Report report = SomeReport();
  ASSERT_TRUE(HoldGates(Of({"output.bytes <= 0.5 * input", "accuracy.output >= input - 0.3 points"}), &report).ok());
  ASSERT_EQ(report.gates_size(), 2);
  EXPECT_TRUE(report.gates(0).met());
  EXPECT_EQ(report.gates(0).threshold(), 500);
  EXPECT_EQ(report.gates(0).margin(), 100);
  EXPECT_FALSE(report.gates(1).met());
  EXPECT_NEAR(report.gates(1).margin(), -0.002, 1e-12);
  const absl::Status verdict = GateVerdict(report);
  EXPECT_EQ(ReasonOf(verdict), "GATE_NOT_MET");
  EXPECT_THAT(std::string(verdict.message()), testing::AllOf(HasSubstr("accuracy.output"), HasSubstr("0.002")));
}

TEST(HoldGatesTest, DecidesNothingByWhatIsNotMeasuredOrSynthetic) {
  v1::Report report = SomeReport();
  EXPECT_EQ(ReasonOf(HoldGates(Of({"error.outputs[0].sqnr_db >= 5"}), &report)), "GATE_NOT_MEASURED");
  report.mutable_error()->set_synthetic(true);
  report.mutable_error()->add_outputs()->set_sqnr_db(40);
  EXPECT_EQ(ReasonOf(HoldGates(Of({"error.outputs[0].sqnr_db >= 5"}), &report)), "GATE_SYNTHETIC");
  EXPECT_TRUE(GateVerdict(report).ok());
}

}  // namespace
}  // namespace lathe
