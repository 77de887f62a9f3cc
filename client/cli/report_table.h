#ifndef LATHE_CLIENT_CLI_REPORT_TABLE_H_
#define LATHE_CLIENT_CLI_REPORT_TABLE_H_

#include <string>

#include "lathe/v1/model.pb.h"
#include "lathe/v1/report.pb.h"

namespace lathe {

// What `lathe optimize` prints: size, compressed size and latency before and after with their ratios, the error of
// every output, the graph's figures, what calibration found, the stages tried, operators that are not in the precision
// asked for by kind and reason, the operators that add most to the error, times, warnings. Groups that were not
// measured are left out.
std::string OptimizeTable(const v1::Report& report);

// What the user must not miss about the result, as one line; "" when there is nothing.
std::string VerdictLine(const v1::Report& report);

// What `lathe optimize --dry-run` prints: the operators that each rule takes.
std::string DryRunTable(const v1::Report& report);

// What `lathe inspect` prints.
std::string ModelText(const v1::ModelSummary& model);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_REPORT_TABLE_H_
