#include "client/cli/report_table.h"

#include <gmock/gmock.h>

#include "client/cli/table_row.h"

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
  latency->set_ratio(0.5);
  latency->set_ratio_low(0.4);
  latency->set_ratio_high(0.625);
  latency->set_ranking("faster");
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
  EXPECT_THAT(OptimizeTable(MakeReport()),
              AllOf(HasSubstr("size                     14.00 MB      3.50 MB   25.0 %"),
                    HasSubstr("compressed (zstd)        13.00 MB      3.25 MB   25.0 %"),
                    HasSubstr("latency, median           4.00 ms      2.00 ms   2.00x faster (1.60 to 2.50)"),
                    HasSubstr("latency, p90"), HasSubstr("41.2 dB"), HasSubstr("16 synthetic samples"),
                    HasSubstr("warning: the first warning")));
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
  auto* latency = report.mutable_latency();
  latency->set_output_ms(8);
  latency->set_ratio(2);
  latency->set_ratio_low(1.5);
  latency->set_ratio_high(2.5);
  latency->set_ranking("slower");
  EXPECT_THAT(OptimizeTable(report), HasSubstr("2.00x slower (1.50 to 2.50)"));
  latency->set_ratio_low(0.75);
  latency->set_ranking("no difference");
  EXPECT_THAT(OptimizeTable(report), HasSubstr("no difference (0.75x to 2.50x the time)"));
}

TEST(ReportTableTest, ShowsWhatHeldBackSamplesSay) {
  v1::Report report = MakeReport();
  report.mutable_error()->set_synthetic(false);
  report.mutable_error()->set_held_back(true);
  auto* output = report.mutable_error()->mutable_outputs(0);
  output->set_sqnr_mean_removed_db(33.3);
  output->set_argmax_agreement(0.975);
  output->set_argmax_ties(0.0625);
  EXPECT_THAT(OptimizeTable(report),
              AllOf(HasSubstr("16 held-back samples"),
                    HasSubstr("41.2 dB, 33.3 dB without the mean, same largest value in 97.5 %, ties in 6.2 %\n")));
}

TEST(ReportTableTest, ShowsTheFiguresOfTheGraph) {
  v1::Report report = MakeReport();
  auto* graph = report.mutable_graph();
  graph->set_operators(70);
  graph->set_integer_share(0.9);
  graph->set_quantize_operators(3);
  graph->set_dequantize_operators(4);
  EXPECT_THAT(OptimizeTable(report), HasSubstr("70 operators, 90.0 % integer, 3 QUANTIZE, 4 DEQUANTIZE\n"));
  graph->set_undelegated_operators(7);
  graph->set_undelegated_share(0.1);
  EXPECT_THAT(OptimizeTable(report), HasSubstr("4 DEQUANTIZE, 7 (10.0 %) not accelerated\n"));
}

TEST(ReportTableTest, NamesSamplesAndTensorsToLookAt) {
  v1::Report report = MakeReport();
  auto* calibration = report.mutable_calibration();
  calibration->set_samples(80);
  calibration->set_held_back(20);
  auto* note = calibration->add_notable_samples();
  note->set_sample(17);
  note->set_tensor("image");
  note->set_reason("40 times the others' range");
  auto* tensor = calibration->add_degenerate_tensors();
  tensor->set_tensor("mask");
  tensor->set_reason("always 0");
  EXPECT_THAT(OptimizeTable(report), AllOf(HasSubstr("80 samples, 20 held back"),
                                           HasSubstr("sample 17, image: 40 times"), HasSubstr("mask: always 0")));
}

TEST(ReportTableTest, ListsTheStagesThatWereTried) {
  v1::Report report = MakeReport();
  auto* stage = report.add_stages();
  stage->set_stage("equalization");
  stage->set_setting("cle");
  stage->set_sqnr_before_db(30);
  stage->set_sqnr_after_db(33.5);
  stage->set_kept(true);
  auto* dropped = report.add_stages();
  dropped->set_stage("rounding");
  dropped->set_setting("descent");
  dropped->set_reason("no weights");
  EXPECT_THAT(OptimizeTable(report),
              AllOf(HasSubstr("  equalization        30.00 -> 33.50 dB  kept       0.00 s  cle\n"),
                    HasSubstr("  rounding                               dropped    0.00 s  descent: no weights\n")));
}

TEST(ReportTableTest, ShowsTheOperatorsThatAddMost) {
  v1::Report report = MakeReport();
  for (uint32_t i = 0; i < 25; ++i) {
    auto* op = report.add_sensitivity();
    op->set_index(100 + i);
    op->set_kind("SOFTMAX");
    op->set_alone_sqnr_db(20 + i);
    op->set_gain_db(1.5);
  }
  EXPECT_THAT(OptimizeTable(report), AllOf(HasSubstr("  100  SOFTMAX"), HasSubstr("20.0 dB   +1.50 dB"),
                                           HasSubstr("and 5 more"), Not(HasSubstr("  120  SOFTMAX"))));
}

TEST(ReportTableTest, KeepsVerificationApart) {
  v1::Report report = MakeReport();
  for (const auto& [step, seconds] :
       {std::pair("read", 0.25), {"calibrate", 2}, {"choose", 3}, {"write", 0.5}, {"compare", 4}}) {
    report.add_timing()->set_step(step);
    report.mutable_timing()->rbegin()->set_seconds(seconds);
  }
  report.set_peak_rss_bytes(300'000'000);
  report.set_transform_peak_rss_bytes(200'000'000);
  EXPECT_THAT(
      OptimizeTable(report),
      HasSubstr("time: calibration 2.00 s, choice 3.00 s, transformation 0.75 s, verification 4.00 s; peak memory "
                "300.00 MB (before verification 200.00 MB)\n"));
}

TEST(ReportTableTest, TheVerdictIsOneLine) {
  v1::Report report = MakeReport();
  EXPECT_EQ(VerdictLine(report), "");
  report.add_verdict("slower than the input on this machine: 2.1 ms against 1.4 ms");
  report.add_verdict("larger than the input: 110 B against 100 B");
  EXPECT_EQ(VerdictLine(report),
            "result: slower than the input on this machine: 2.1 ms against 1.4 ms; larger than the input: 110 B "
            "against 100 B\n");
}

TEST(ReportTableTest, TheDryRunListsWhatEachRuleTakes) {
  v1::Report report;
  EXPECT_THAT(DryRunTable(report), HasSubstr("no rules"));
  auto* match = report.add_rule_matches();
  match->set_rule(2);
  match->set_index(12);
  match->set_kind("CONV_2D");
  match->set_name("head/conv");
  EXPECT_THAT(DryRunTable(report), HasSubstr("rules[2]  subgraph 0     12  CONV_2D                  head/conv\n"));
}

TEST(ReportTableTest, WritesBytesInUnitsOfThousand) {
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1500), "1.5 kB");
  EXPECT_EQ(BytesText(13'978'596), "13.98 MB");
  EXPECT_EQ(BytesText(3'000'000'000), "3.00 GB");
}

}  // namespace
}  // namespace lathe
