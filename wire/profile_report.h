#ifndef LATHE_WIRE_PROFILE_REPORT_H_
#define LATHE_WIRE_PROFILE_REPORT_H_

#include "lathe/v1/profile.pb.h"
#include "optimizer/report/profile_report.h"

namespace lathe {

v1::ProfileReport ProfileReportToProto(const ProfileReport& report);

}  // namespace lathe

#endif  // LATHE_WIRE_PROFILE_REPORT_H_
