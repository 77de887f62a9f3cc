#ifndef LATHE_OPTIMIZER_REPORT_WEIGHT_HISTOGRAM_H_
#define LATHE_OPTIMIZER_REPORT_WEIGHT_HISTOGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace lathe {

// How often each value occurs in a weight tensor of the input file, and in the tensor of that name in the output file,
// as real values. Bins of equal width from `min` to `max`, as many in both.
struct WeightHistogram {
  std::string name;
  uint64_t bytes_before = 0, bytes_after = 0;  // of the data in the files, without scales
  uint64_t values = 0;                         // counted: all, or evenly spaced ones of a large tensor
  double min = 0, max = 0;                     // over both
  std::vector<uint32_t> before, after;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_WEIGHT_HISTOGRAM_H_
