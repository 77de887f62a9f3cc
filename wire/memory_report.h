#ifndef LATHE_WIRE_MEMORY_REPORT_H_
#define LATHE_WIRE_MEMORY_REPORT_H_

#include "lathe/v1/memory.pb.h"
#include "optimizer/report/memory_report.h"

namespace lathe {

v1::MemoryReport MemoryReportToProto(const MemoryReport& report);

}  // namespace lathe

#endif  // LATHE_WIRE_MEMORY_REPORT_H_
