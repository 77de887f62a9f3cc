#include "wire/memory_report.h"

namespace lathe {
namespace {

void Fill(const MemoryOfModel& from, v1::MemoryOfModel* to) {
  to->set_heap_bytes(from.heap_bytes);
  to->set_arena_bytes(from.arena_bytes);
  if (from.peak_rss_bytes) to->set_peak_rss_bytes(*from.peak_rss_bytes);
}

}  // namespace

v1::MemoryReport MemoryReportToProto(const MemoryReport& report) {
  v1::MemoryReport proto;
  Fill(report.input, proto.mutable_input());
  if (report.output) Fill(*report.output, proto.mutable_output());
  return proto;
}

}  // namespace lathe
