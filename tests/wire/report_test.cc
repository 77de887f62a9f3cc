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
