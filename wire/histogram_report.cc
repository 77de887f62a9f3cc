#include "wire/histogram_report.h"

namespace lathe {

void FillHistograms(const std::vector<WeightHistogram>& histograms, v1::Report* proto) {
  for (const WeightHistogram& histogram : histograms) {
    v1::WeightHistogram& added = *proto->add_histograms();
    added.set_name(histogram.name);
    added.set_bytes_before(histogram.bytes_before);
    added.set_bytes_after(histogram.bytes_after);
    added.set_values(histogram.values);
    added.set_min(histogram.min);
    added.set_max(histogram.max);
    added.mutable_before()->Add(histogram.before.begin(), histogram.before.end());
    added.mutable_after()->Add(histogram.after.begin(), histogram.after.end());
  }
}

}  // namespace lathe
