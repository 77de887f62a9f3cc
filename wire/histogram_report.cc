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

void FillHistograms(const std::vector<ClippingHistogram>& histograms, v1::CalibrationReport* proto) {
  for (const ClippingHistogram& histogram : histograms) {
    v1::ClippingHistogram& added = *proto->add_histograms();
    added.set_name(histogram.name);
    added.set_min(histogram.min);
    added.set_max(histogram.max);
    added.set_chosen_min(histogram.chosen_min);
    added.set_chosen_max(histogram.chosen_max);
    added.set_scale(histogram.scale);
    added.set_zero_point(histogram.zero_point);
    added.set_clipped_share(histogram.clipped_share);
    if (histogram.sqnr_db) added.set_sqnr_db(*histogram.sqnr_db);
    added.set_values(histogram.values);
    added.mutable_counts()->Add(histogram.counts.begin(), histogram.counts.end());
  }
}

}  // namespace lathe
