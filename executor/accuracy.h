#ifndef LATHE_EXECUTOR_ACCURACY_H_
#define LATHE_EXECUTOR_ACCURACY_H_

#include <string>
#include <vector>

#include "executor/job.h"
#include "lathe/v1/metric.pb.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"
#include "runtime/evaluate.h"

namespace lathe {

// What a job asks about the answers of its models.
struct AccuracyRequest {
  std::string data;    // path below the job directory
  std::string metric;  // "": kDefaultMetric
  const v1::MetricOptions& options;
  const internal::v1::SampleOptions& samples;
  const Recipe* recipe = nullptr;  // whose scale and mean serve where `samples` has none; may be null
  bool predictions = false;        // write answers to out/predictions
};

// Evaluates one or two models on the request's data, adds the group to the report, and the data's digest and warnings.
// Errors as OpenSamples and Evaluate. INVALID_ARGUMENT BAD_REQUEST: an unknown metric, options that are out of range.
absl::Status MeasureAccuracy(const JobContext& context, const AccuracyRequest& request,
                             const std::vector<EvaluatedModel>& models, Report& report);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_ACCURACY_H_
