#include "wire/memory_report.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(MemoryReportToProtoTest, LeavesOutWhatTheKernelDoesNotTell) {
  MemoryReport report;
  report.input = {100, 50, std::nullopt};
  report.output = MemoryOfModel{80, 40, 90};
  const v1::MemoryReport proto = MemoryReportToProto(report);
  EXPECT_EQ(proto.input().heap_bytes(), 100u);
  EXPECT_EQ(proto.input().arena_bytes(), 50u);
  EXPECT_FALSE(proto.input().has_peak_rss_bytes());
  EXPECT_EQ(proto.output().peak_rss_bytes(), 90u);
  report.output.reset();
  EXPECT_FALSE(MemoryReportToProto(report).has_output());
}

}  // namespace
}  // namespace lathe
