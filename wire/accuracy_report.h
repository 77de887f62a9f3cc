#ifndef LATHE_WIRE_ACCURACY_REPORT_H_
#define LATHE_WIRE_ACCURACY_REPORT_H_

#include "lathe/v1/report.pb.h"
#include "optimizer/report/accuracy_report.h"

namespace lathe {

// The group `accuracy` of a report.
v1::AccuracyReport AccuracyToProto(const AccuracyReport& report);

}  // namespace lathe

#endif  // LATHE_WIRE_ACCURACY_REPORT_H_
