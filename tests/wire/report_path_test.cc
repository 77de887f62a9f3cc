#include "wire/report_path.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

TEST(CheckReportPathTest, TakesNumbersAlone) {
  for (const char* path : {"output.bytes", "error.outputs[0].sqnr_db", "accuracy.higher_is_better", "peak_rss_bytes"}) {
    EXPECT_TRUE(CheckReportPath(path).ok()) << CheckReportPath(path);
  }
  for (const char* path :
       {"", "output", "output.size", "error.outputs.sqnr_db", "output[0].bytes", "accuracy.metric", "warnings[0]",
        "output.bytes.more", "error.outputs[x].sqnr_db", "error.outputs[-1].sqnr_db", "error.outputs[0"}) {
    EXPECT_EQ(ReasonOf(CheckReportPath(path)), "BAD_REQUEST") << path;
  }
}

TEST(FindReportValueTest, FindsWhatIsThere) {
  v1::Report report;
  EXPECT_EQ(FindReportValue(report, "output.bytes"), std::nullopt);
  report.mutable_output()->set_bytes(7);
  EXPECT_EQ(FindReportValue(report, "output.bytes"), 7);
  EXPECT_EQ(FindReportValue(report, "output.zstd_bytes"), std::nullopt);
  report.mutable_error()->add_outputs()->set_sqnr_db(3.5);
  EXPECT_EQ(FindReportValue(report, "error.outputs[0].sqnr_db"), 3.5);
  EXPECT_EQ(FindReportValue(report, "error.outputs[1].sqnr_db"), std::nullopt);
}

}  // namespace
}  // namespace lathe
