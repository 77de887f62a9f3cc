#include "wire/accuracy_report.h"

namespace lathe {

v1::AccuracyReport AccuracyToProto(const AccuracyReport& report) {
  v1::AccuracyReport proto;
  proto.set_metric(report.metric);
  proto.set_input(report.input);
  if (report.output) proto.set_output(*report.output);
  proto.set_samples(report.samples);
  proto.set_unit(report.unit);
  proto.set_higher_is_better(report.higher_is_better);
  for (const AccuracyFigure& figure : report.also) {
    v1::AccuracyFigure& added = *proto.add_also();
    added.set_metric(figure.metric);
    added.set_input(figure.input);
    if (figure.output) added.set_output(*figure.output);
  }
  if (report.difference) proto.set_difference(*report.difference);
  if (report.difference_low) proto.set_difference_low(*report.difference_low);
  if (report.difference_high) proto.set_difference_high(*report.difference_high);
  if (report.resamples) proto.set_resamples(*report.resamples);
  if (report.difference_points) proto.set_difference_points(*report.difference_points);
  if (!report.verdict.empty()) proto.set_verdict(report.verdict);
  return proto;
}

}  // namespace lathe
