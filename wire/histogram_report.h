#ifndef LATHE_WIRE_HISTOGRAM_REPORT_H_
#define LATHE_WIRE_HISTOGRAM_REPORT_H_

#include <vector>

#include "lathe/v1/report.pb.h"
#include "optimizer/report/clipping_histogram.h"
#include "optimizer/report/weight_histogram.h"

namespace lathe {

// Add them to `proto`, in order.
void FillHistograms(const std::vector<WeightHistogram>& histograms, v1::Report* proto);
void FillHistograms(const std::vector<ClippingHistogram>& histograms, v1::CalibrationReport* proto);

}  // namespace lathe

#endif  // LATHE_WIRE_HISTOGRAM_REPORT_H_
