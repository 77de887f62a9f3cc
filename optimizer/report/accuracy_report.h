#ifndef LATHE_OPTIMIZER_REPORT_ACCURACY_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_ACCURACY_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

// A figure that came with the one asked for.
struct AccuracyFigure {
  std::string metric;
  double input = 0;
  std::optional<double> output;
};

// How good the answers of one model are, or of two on the same samples.
struct AccuracyReport {
  std::string metric;  // of optimizer/recipe/metric.h, as are unit and direction
  std::string unit;
  bool higher_is_better = true;
  double input = 0;
  std::optional<double> output;
  uint64_t samples = 0;
  std::vector<AccuracyFigure> also;
  // Absent with one model. output - input in the metric's unit and its 95 % interval, paired by sample; that is absent
  // too where too few resamples had a figure.
  std::optional<double> difference, difference_low, difference_high;
  std::optional<double> difference_points;  // in hundredths of a fraction, or percent; absent for other units
  std::optional<uint32_t> resamples;        // that the interval rests on
  std::string verdict;                      // a sentence; "" with one model
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_ACCURACY_REPORT_H_
