#ifndef LATHE_WIRE_REPORT_H_
#define LATHE_WIRE_REPORT_H_

#include <string>

#include "lathe/v1/report.pb.h"
#include "optimizer/report/report.h"

namespace lathe {

// The report as a message. Figures that are NaN or infinite are left out, like figures that were not measured.
v1::Report ReportToProto(const Report& report);

v1::OutputError OutputErrorToProto(const OutputError& output);

// The content of report.json: wire/json.h's form, indented, ending with a newline.
std::string ReportText(const v1::Report& report);

}  // namespace lathe

#endif  // LATHE_WIRE_REPORT_H_
