#ifndef LATHE_WIRE_SIZE_REPORT_H_
#define LATHE_WIRE_SIZE_REPORT_H_

#include "lathe/v1/size.pb.h"
#include "optimizer/report/size_report.h"

namespace lathe {

v1::SizeReport SizeReportToProto(const SizeReport& report);
v1::SizeOfModel SizeOfModelToProto(const SizeOfModel& size);

}  // namespace lathe

#endif  // LATHE_WIRE_SIZE_REPORT_H_
