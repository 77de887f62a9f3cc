#ifndef LATHE_WIRE_METRIC_OPTIONS_H_
#define LATHE_WIRE_METRIC_OPTIONS_H_

#include <string>

#include "common/status.h"
#include "lathe/v1/metric.pb.h"
#include "optimizer/recipe/metric.h"

namespace lathe {

// The message as plain options, its defaults filled in. Cannot fail; CheckMetric says what is wrong with them.
MetricOptions MetricOptionsFromProto(const v1::MetricOptions& proto);

// Reads a file of metric options: YAML or JSON, the message's JSON form. INVALID_ARGUMENT BAD_REQUEST naming `path`;
// the errors are those of ReadRecipeFile.
absl::StatusOr<v1::MetricOptions> ReadMetricOptionsFile(const std::string& path);

}  // namespace lathe

#endif  // LATHE_WIRE_METRIC_OPTIONS_H_
