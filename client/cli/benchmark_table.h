#ifndef LATHE_CLIENT_CLI_BENCHMARK_TABLE_H_
#define LATHE_CLIENT_CLI_BENCHMARK_TABLE_H_

#include <string>

#include "lathe/v1/report.pb.h"

namespace lathe {

// Rows of latency and memory, the second file against the first; with the ranking in words and its interval.
// REQUIRES: both files were measured.
std::string LatencyRows(const v1::Report& report);

// Where the time of a run goes: what XNNPACK takes, time by kind of operator, the slowest operators. "" without one.
std::string ProfileText(const v1::Report& report);

// What `lathe benchmark` prints; the second column only when there are two files.
std::string BenchmarkTable(const v1::Report& report);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_BENCHMARK_TABLE_H_
