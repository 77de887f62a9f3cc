#include "optimizer/recipe/gate.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

Gate Parsed(const std::string& text) {
  const auto gate = ParseGate(text);
  EXPECT_TRUE(gate.ok()) << gate.status();
  return gate.value_or(Gate());
}

TEST(ParseGateTest, ReadsAbsoluteThresholdsWithTheirUnits) {
  EXPECT_EQ(Parsed("output.bytes<=500kB"), (Gate{"output.bytes", Gate::Operator::kLessOrEqual, {}, 500e3, false}));
  EXPECT_EQ(Parsed(" output.zstd_bytes < 1.5 MiB "),
            (Gate{"output.zstd_bytes", Gate::Operator::kLess, {}, 1.5 * 1048576, false}));
  EXPECT_EQ(Parsed("error.outputs[0].sqnr_db >= 30 dB"),
            (Gate{"error.outputs[0].sqnr_db", Gate::Operator::kGreaterOrEqual, {}, 30, false}));
  EXPECT_EQ(Parsed("accuracy.difference_points > -0.3"),
            (Gate{"accuracy.difference_points", Gate::Operator::kGreater, {}, -0.3, false}));
}

TEST(ParseGateTest, ReadsThresholdsRelativeToTheInput) {
  EXPECT_EQ(Parsed("accuracy.output >= input - 0.3 points"),
            (Gate{"accuracy.output", Gate::Operator::kGreaterOrEqual, 1, -0.3, true}));
  EXPECT_EQ(Parsed("output.bytes <= 0.3 * input.bytes"),
            (Gate{"output.bytes", Gate::Operator::kLessOrEqual, 0.3, 0, false}));
  EXPECT_EQ(Parsed("latency.output_ms < 0.9*input+1 ms"),
            (Gate{"latency.output_ms", Gate::Operator::kLess, 0.9, 1, false}));
}

TEST(ParseGateTest, SaysWhatIsWrong) {
  for (const char* text :
       {"", "output.bytes", "output.bytes = 3", "output.bytes <= ", "output.bytes <= much", "output.bytes <= 3 ms",
        "output.bytes <= input.zstd_bytes", "latency.output_ms <= 3 points", "error.samples >= input",
        "output..bytes < 3", "output.bytes <= 1e999", "output.bytes <= 3 kB kB", "<= 3", "output.bytes <= input * 3"}) {
    EXPECT_EQ(ReasonOf(ParseGate(text).status()), "USAGE") << text;
  }
}

TEST(GateTextTest, ReadsBack) {
  for (const char* text :
       {"output.bytes <= 500000", "accuracy.output >= input - 0.3 points", "output.bytes <= 0.3 * input",
        "latency.output_ms < 0.9 * input + 1", "accuracy.output > 80 points"}) {
    EXPECT_EQ(GateText(Parsed(text)), text);
  }
}

TEST(InputPathTest, PutsInputInPlaceOfOutput) {
  EXPECT_EQ(InputPath("latency.output_p90_ms"), "latency.input_p90_ms");
  EXPECT_EQ(InputPath("accuracy.also[0].output"), "accuracy.also[0].input");
  EXPECT_EQ(InputPath("error.outputs[0].sqnr_db"), std::nullopt);
}

}  // namespace
}  // namespace lathe
