#ifndef LATHE_WIRE_REPORT_PATH_H_
#define LATHE_WIRE_REPORT_PATH_H_

#include <optional>
#include <string>

#include "common/status.h"
#include "lathe/v1/report.pb.h"

namespace lathe {

// Paths to numbers of report.json: names between dots, [INDEX] after lists (output.bytes, error.outputs[0].sqnr_db).
// Truth values count as 1 and 0.

// INVALID_ARGUMENT BAD_REQUEST: a report never has a number there; names the part and what stands beside it.
absl::Status CheckReportPath(const std::string& path);

// The number; nothing when this report does not have it. REQUIRES: CheckReportPath is OK.
std::optional<double> FindReportValue(const v1::Report& report, const std::string& path);

}  // namespace lathe

#endif  // LATHE_WIRE_REPORT_PATH_H_
