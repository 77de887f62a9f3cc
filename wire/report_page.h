#ifndef LATHE_WIRE_REPORT_PAGE_H_
#define LATHE_WIRE_REPORT_PAGE_H_

#include <string>

#include "lathe/v1/report.pb.h"

namespace lathe {

// report.html: one page that needs nothing else, with the text of report.json inside and the scripts of wire/page/ that
// draw it. About 830 kB and the report. It asks for no network, and its policy (Content-Security-Policy) allows none;
// names and sentences of the report, which may be hostile, reach it as text only. Groups that are absent are not shown.
std::string ReportPage(const v1::Report& report);

}  // namespace lathe

#endif  // LATHE_WIRE_REPORT_PAGE_H_
