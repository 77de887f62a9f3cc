#include "client/cli/benchmark_table.h"

#include <gmock/gmock.h>

namespace lathe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::Report OneModel() {
  v1::Report report;
  report.mutable_input()->set_bytes(14'000'000);
  auto* latency = report.mutable_latency();
  latency->set_input_ms(4);
  latency->set_input_runs(20);
  latency->set_threads(1);
  latency->set_loads(1);
  report.mutable_memory()->mutable_input()->set_heap_bytes(7'000'000);
  return report;
}

TEST(BenchmarkTableTest, ShowsOneModel) {
  EXPECT_THAT(BenchmarkTable(OneModel()),
              AllOf(HasSubstr("latency, median           4.00 ms"), HasSubstr("memory, loaded            7.00 MB"),
                    HasSubstr("20 runs, 1 thread"), Not(HasSubstr("against"))));
}

TEST(BenchmarkTableTest, RanksTwo) {
  v1::Report report = OneModel();
  report.mutable_output()->set_bytes(7'000'000);
  auto* latency = report.mutable_latency();
  latency->set_output_ms(4.5);
  latency->set_ranking("no difference");
  latency->set_ratio(1);
  EXPECT_THAT(BenchmarkTable(report), HasSubstr("one run tells no difference"));
  latency->set_ratio_low(0.9);
  latency->set_ratio_high(1.2);
  EXPECT_THAT(BenchmarkTable(report), HasSubstr("no difference (0.90x to 1.20x the time)"));
}

TEST(BenchmarkTableTest, ShowsTheSlowestKernelsFirst) {
  v1::Report report = OneModel();
  auto* profile = report.mutable_profile()->mutable_input();
  profile->set_operators(2);
  profile->set_delegated_operators(1);
  profile->set_delegated_share(0.5);
  profile->set_delegated_ms(1);
  profile->set_builtin_ms(3);
  auto* quick = profile->add_kernels();
  quick->set_kernel("Softmax (NC, F32)");
  quick->set_delegated(true);
  quick->set_ms(1);
  auto* slow = profile->add_kernels();
  slow->set_kernel("CONV_2D");
  slow->set_index(7);
  slow->set_ms(3);
  const std::string text = BenchmarkTable(report);
  EXPECT_THAT(text, AllOf(HasSubstr("XNNPACK runs 1 of 2 operators (50.0 %)"),
                          HasSubstr("75.0 %  operator     7  CONV_2D (built-in)")));
  EXPECT_LT(text.find("CONV_2D"), text.find("Softmax"));
}

}  // namespace
}  // namespace lathe
