#include "client/cli/report_table.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::Report MakeReport() {
  v1::Report report;
  report.mutable_input()->set_bytes(14'000'000);
  report.mutable_input()->set_zstd_bytes(13'000'000);
  report.mutable_output()->set_bytes(3'500'000);
  report.mutable_output()->set_zstd_bytes(3'250'000);
  auto* latency = report.mutable_latency();
  latency->set_input_ms(4);
  latency->set_output_ms(2);
  latency->set_input_p90_ms(5);
  latency->set_output_p90_ms(3);
  latency->set_output_runs(50);
  latency->set_threads(2);
  report.mutable_error()->set_samples(16);
  report.mutable_error()->set_synthetic(true);
  auto* output = report.mutable_error()->add_outputs();
  output->set_name("scores");
  output->set_sqnr_db(41.25);
  for (int i = 0; i < 3; ++i) {
    auto* op = report.add_operators();
    op->set_kind("PRELU");
    op->set_precision("float32");
    op->set_reason("its int8 kernel is slower");
  }
  report.add_operators()->set_kind("CONV_2D");
  report.add_warnings("the first warning");
  return report;
}

TEST(ReportTableTest, ShowsBeforeAndAfterWithRatios) {
  EXPECT_THAT(
      OptimizeTable(MakeReport()),
      AllOf(HasSubstr("size                     14.00 MB      3.50 MB   25.0 %"),
            HasSubstr("compressed (zstd)        13.00 MB      3.25 MB   25.0 %"),
            HasSubstr("latency, median           4.00 ms      2.00 ms   2.00x faster"), HasSubstr("latency, p90"),
            HasSubstr("41.2 dB"), HasSubstr("16 synthetic samples"), HasSubstr("warning: the first warning")));
}

TEST(ReportTableTest, GroupsOperatorsByKindAndReason) {
  EXPECT_THAT(OptimizeTable(MakeReport()),
              AllOf(HasSubstr("3  PRELU"), HasSubstr("float32: its int8 kernel is slower"), Not(HasSubstr("CONV_2D"))));
}

TEST(ReportTableTest, LeavesOutWhatWasNotMeasured) {
  v1::Report report = MakeReport();
  report.clear_latency();
  report.mutable_output()->clear_zstd_bytes();
  report.clear_operators();
  report.clear_warnings();
  EXPECT_THAT(OptimizeTable(report), AllOf(Not(HasSubstr("latency")), Not(HasSubstr("compressed")),
                                           Not(HasSubstr("operators")), Not(HasSubstr("warning"))));
}

TEST(ReportTableTest, SaysSlowerWhenItIs) {
  v1::Report report = MakeReport();
  report.mutable_latency()->set_output_ms(8);
  EXPECT_THAT(OptimizeTable(report), HasSubstr("2.00x slower"));
}

TEST(ReportTableTest, WritesBytesInUnitsOfThousand) {
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1500), "1.5 kB");
  EXPECT_EQ(BytesText(13'978'596), "13.98 MB");
  EXPECT_EQ(BytesText(3'000'000'000), "3.00 GB");
}

}  // namespace
}  // namespace lathe
