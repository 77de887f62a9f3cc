#include "wire/report.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

Report FullReport() {
  Report report;
  report.input = {.bytes = 1000, .zstd_bytes = 900, .sha256 = "aa"};
  report.output = FileReport{.bytes = 250, .zstd_bytes = 200, .sha256 = "bb"};
  LatencyReport latency;
  latency.input_ms = 2;
  latency.output_ms = 1;
  latency.input_runs = latency.output_runs = 50;
  report.latency = latency;
  report.error = ErrorReport{.synthetic = true, .samples = 16, .outputs = {{"y", 40.5}, {"zero", std::nullopt}}};
  OperatorReport op;
  op.kind = "PRELU";
  op.reason = "slower";
  report.operators = {op};
  report.plan = {{.pass = "quantize-full-integer", .description = "int8", .changed = 12}};
  report.timing = {{"read", 0.25}};
  report.peak_rss_bytes = uint64_t{5} << 32;
  report.warnings = {"w"};
  report.provenance.seed = 7;
  return report;
}

TEST(ReportTest, HasTheKeysThatUsersReadByName) {
  const Json json = Json::parse(ReportText(ReportToProto(FullReport())));
  EXPECT_EQ(json["input"]["bytes"], 1000);
  EXPECT_EQ(json["output"]["zstd_bytes"], 200);
  EXPECT_EQ(json["input"]["sha256"], "aa");
  EXPECT_EQ(json["latency"]["input_ms"], 2.0);
  EXPECT_EQ(json["latency"]["output_ms"], 1.0);
  EXPECT_EQ(json["error"]["outputs"][0]["sqnr_db"], 40.5);
  EXPECT_EQ(json["error"]["synthetic"], true);
  EXPECT_EQ(json["operators"][0]["kind"], "PRELU");
  EXPECT_EQ(json["operators"][0]["reason"], "slower");
  EXPECT_EQ(json["plan"][0]["pass"], "quantize-full-integer");
  EXPECT_EQ(json["timing"][0]["seconds"], 0.25);
  EXPECT_EQ(json["peak_rss_bytes"], uint64_t{5} << 32);
  EXPECT_EQ(json["warnings"][0], "w");
  EXPECT_EQ(json["provenance"]["seed"], 7);
}

// Every key of the groups that say how a result came about.
TEST(ReportTest, TellsHowTheResultCameAbout) {
  Report report = FullReport();
  report.error->held_back = true;
  OutputError& output = report.error->outputs[0];
  output.sqnr_mean_removed_db = 30.25;
  output.argmax_agreement = 0.5;
  output.argmax_ties = 0.25;
  report.graph = GraphReport{.operators = 10,
                             .integer_operators = 6,
                             .integer_share = 0.75,
                             .quantize_operators = 1,
                             .dequantize_operators = 1,
                             .undelegated_operators = 2,
                             .undelegated_share = 0.2};
  report.calibration = CalibrationReport{.samples = 80,
                                         .held_back = 20,
                                         .ranges = {{"t", "percentile", -3, 4, -2, 2.5, 7}},
                                         .notable_samples = {{5, "x", "far"}},
                                         .degenerate_tensors = {{"c", "constant"}},
                                         .histograms = {{.name = "t",
                                                         .min = -3,
                                                         .max = 4,
                                                         .chosen_min = -2,
                                                         .chosen_max = 2.5,
                                                         .scale = 0.5,
                                                         .zero_point = -1,
                                                         .clipped_share = 0.25,
                                                         .sqnr_db = 12.5,
                                                         .values = 4,
                                                         .counts = {1, 3}}}};
  report.stages = {{.stage = "ranges",
                    .setting = "best",
                    .sqnr_before_db = 20.5,
                    .sqnr_after_db = 21.5,
                    .kept = true,
                    .seconds = 0.5,
                    .reason = "r",
                    .bytes = 200,
                    .bytes_before = 100}};
  report.rule_matches = {{.rule = 1, .subgraph = 2, .index = 3, .kind = "ADD", .name = "n"}};
  report.sensitivity = {{.subgraph = 2, .index = 3, .kind = "ADD", .name = "n", .alone_sqnr_db = 40.5, .gain_db = 0.5}};
  report.histograms = {{.name = "w",
                        .bytes_before = 8,
                        .bytes_after = 2,
                        .values = 2,
                        .min = -1,
                        .max = 1,
                        .before = {1, 1},
                        .after = {2, 0}}};
  report.verdict = {"slower than the input on this machine: 2 ms against 1 ms"};
  report.transform_peak_rss_bytes = 77;
  const Json json = Json::parse(ReportText(ReportToProto(report)));
  EXPECT_EQ(json["error"]["held_back"], true);
  EXPECT_EQ(json["error"]["outputs"][0],
            Json::parse(R"({"name": "y", "sqnr_db": 40.5, "sqnr_mean_removed_db": 30.25, "argmax_agreement": 0.5,
                            "argmax_ties": 0.25})"));
  EXPECT_EQ(json["graph"],
            Json::parse(R"({"operators": 10, "integer_operators": 6, "integer_share": 0.75, "quantize_operators": 1,
                            "dequantize_operators": 1, "undelegated_operators": 2, "undelegated_share": 0.2})"));
  EXPECT_EQ(json["calibration"],
            Json::parse(R"({"samples": 80, "held_back": 20, "ranges": [{"name": "t", "algorithm": "percentile",
                            "min": -3.0, "max": 4.0, "chosen_min": -2.0, "chosen_max": 2.5, "group": 7}],
                            "notable_samples": [{"sample": 5, "tensor": "x", "reason": "far"}],
                            "degenerate_tensors": [{"tensor": "c", "reason": "constant"}],
                            "histograms": [{"name": "t", "min": -3.0, "max": 4.0, "chosen_min": -2.0,
                            "chosen_max": 2.5, "scale": 0.5, "zero_point": -1, "clipped_share": 0.25, "sqnr_db": 12.5,
                            "values": 4, "counts": [1, 3]}]})"));
  EXPECT_EQ(json["stages"][0],
            Json::parse(R"({"stage": "ranges", "setting": "best", "sqnr_before_db": 20.5, "sqnr_after_db": 21.5,
                            "kept": true, "seconds": 0.5, "reason": "r", "bytes": 200, "bytes_before": 100})"));
  EXPECT_EQ(json["histograms"][0],
            Json::parse(R"({"name": "w", "bytes_before": 8, "bytes_after": 2, "values": 2, "min": -1.0, "max": 1.0,
                            "before": [1, 1], "after": [2, 0]})"));
  EXPECT_EQ(json["rule_matches"][0],
            Json::parse(R"({"rule": 1, "subgraph": 2, "index": 3, "kind": "ADD", "name": "n"})"));
  EXPECT_EQ(json["sensitivity"][0],
            Json::parse(R"({"subgraph": 2, "index": 3, "kind": "ADD", "name": "n", "alone_sqnr_db": 40.5,
                            "gain_db": 0.5})"));
  EXPECT_EQ(json["verdict"][0], "slower than the input on this machine: 2 ms against 1 ms");
  EXPECT_EQ(json["transform_peak_rss_bytes"], 77);
}

TEST(ReportTest, LeavesOutWhatWasNotMeasured) {
  Report report = FullReport();
  report.output.reset();
  report.latency->output_runs = 0;
  report.error.reset();
  report.input.zstd_bytes.reset();
  const Json json = Json::parse(ReportText(ReportToProto(report)));
  EXPECT_FALSE(json.contains("output"));
  EXPECT_FALSE(json.contains("error"));
  EXPECT_FALSE(json.contains("accuracy"));
  EXPECT_FALSE(json.contains("compatibility"));
  EXPECT_TRUE(json.contains("plan"));
  for (const char* group : {"graph", "calibration", "stages", "rule_matches", "sensitivity"}) {
    EXPECT_FALSE(json.contains(group)) << group;
  }
  EXPECT_FALSE(json["input"].contains("zstd_bytes"));
  EXPECT_FALSE(json["latency"].contains("output_ms"));
  EXPECT_FALSE(Json::parse(ReportText(ReportToProto(FullReport())))["error"]["outputs"][1].contains("sqnr_db"));
}

TEST(ReportTest, LeavesOutFiguresThatAreNotFinite) {
  Report report = FullReport();
  report.error->outputs[0].sqnr_db = std::numeric_limits<double>::infinity();
  report.operators[0].ms = std::numeric_limits<double>::quiet_NaN();
  const Json json = Json::parse(ReportText(ReportToProto(report)));
  EXPECT_FALSE(json["error"]["outputs"][0].contains("sqnr_db"));
  EXPECT_FALSE(json["operators"][0].contains("ms"));
}

}  // namespace
}  // namespace lathe
